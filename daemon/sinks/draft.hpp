#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "daemon/sinks/content.hpp"

namespace imageswarm::sinks {

/// A file that is being made under a temporary name beside its final one, with holes for zeros; gone unless it was
/// moved into place.
class Draft {
public:
  /// The temporary name is "." + final name + ".XXXXXX.tmp", readable for its owner alone.
  [[nodiscard]] static Result<Draft> make(std::filesystem::path const& final_path);
  Draft(Draft&& other) noexcept
      : fd_{std::move(other.fd_)}, path_{std::exchange(other.path_, {})}, size_{other.size_} {}
  Draft& operator=(Draft&&) = delete;
  ~Draft();

  ByteCount size() const { return size_; }
  UniqueFd const& fd() const { return fd_; }

  [[nodiscard]] Result<> append(std::span<std::byte const> data);
  /// Zeros, none of which is written.
  void append_hole(ByteCount length) { size_ += length; }
  /// Becomes, instead, what `from` is now, in the same blocks of the disk, which are copied when either is written to.
  /// Does the file system do that? (XFS, Btrfs.)
  bool share(UniqueFd const& from, ByteCount size);

  /// The file is as long as what it holds, also where that ends in zeros. Fault: disk-error.
  [[nodiscard]] Result<> set_length() const;
  /// Readable for all, and of this group if one is given; complete on the disk before it has its name.
  /// Faults: permission, disk-full, disk-error.
  [[nodiscard]] Result<> become(std::filesystem::path const& final_path, VerifiedContent const& content,
                                std::optional<gid_t> group = {});

private:
  Draft(UniqueFd fd, std::string path) : fd_{std::move(fd)}, path_{std::move(path)} {}
  [[nodiscard]] Result<> give_to(gid_t group) const;

  UniqueFd fd_;
  std::string path_;
  ByteCount size_;
};

/// Is there room for that much in this directory? Fault: disk-full.
[[nodiscard]] Result<> check_room(std::filesystem::path const& directory, ByteCount needed);

}  // namespace imageswarm::sinks
