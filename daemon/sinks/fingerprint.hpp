#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <stop_token>

#include "common/base/digest.hpp"
#include "common/base/file.hpp"
#include "common/base/result.hpp"

namespace imageswarm::sinks {

/// Tells a file from what it was when it was last read; the kernel changes `changed` with every write, even where
/// somebody sets `modified` back.
struct Fingerprint {
  dev_t device{};
  ino_t inode{};
  off_t size{};
  std::int64_t modified_ns{}, changed_ns{};
  bool operator==(Fingerprint const&) const = default;

  [[nodiscard]] static Result<Fingerprint> of(UniqueFd const& fd, std::filesystem::path const& path);
  /// For files of which others change owner and times all the while.
  Fingerprint without_times() const { return {device, inode, size, 0, 0}; }
};

/// The files of a sink with the digests that they had: one is read whole once a day as long as its fingerprint is as it
/// was. Thread-safe.
class ComparedFiles {
public:
  /// Has the file at `path` this SHA-256? `fingerprint` is from before, and says how much of it
  /// is read. Blocks for reading all of it, if need be.
  /// Faults: disk-error, cancelled.
  [[nodiscard]] Result<bool> match(UniqueFd const& fd, std::filesystem::path const& path, Sha256 const& digest,
                                   Fingerprint const& fingerprint, std::stop_token const& stop);

private:
  using SteadyClock = std::chrono::steady_clock;
  struct Compared {
    Fingerprint fingerprint;
    Sha256 digest;
    SteadyClock::time_point at;
  };
  bool is_known(std::filesystem::path const& path, Sha256 const& digest, Fingerprint const& fingerprint);

  std::mutex mutex_;  // guards `known_`
  std::map<std::filesystem::path, Compared> known_;
};

}  // namespace imageswarm::sinks
