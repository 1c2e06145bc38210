#pragma once

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "common/base/file.hpp"
#include "common/document/model.hpp"
#include "daemon/flow/arrival.hpp"
#include "daemon/flow/chunk_files.hpp"

namespace imageswarm::flow {

/// The artefact of a wanted image, whole and with the signed digest: only the hashing in artefact.cpp makes one.
///
/// Holds the very descriptor that was hashed; sinks read from it with pread and never open the path again. With chunks
/// it holds their directory: chunk_files.hpp says what that is worth.
class VerifiedArtefact {
public:
  UniqueFd const& fd() const { return *fd_; }                 ///< of layout `file`
  ChunkFiles const* chunks() const { return chunks_.get(); }  ///< of layout `chunks`, else null
  document::Image const& image() const { return image_; }

private:
  friend class Artefact;
  friend Result<VerifiedArtefact> verify_artefact(std::filesystem::path const& path, document::Image const& image,
                                                  std::stop_token const& stop);
  VerifiedArtefact(std::shared_ptr<UniqueFd const> fd, std::shared_ptr<ChunkFiles const> chunks, document::Image image)
      : fd_{std::move(fd)}, chunks_{std::move(chunks)}, image_{std::move(image)} {}
  std::shared_ptr<UniqueFd const> fd_;
  std::shared_ptr<ChunkFiles const> chunks_;
  document::Image image_;
};

/// Compares size and SHA-256 of the file, or of all chunks one after the other, with the catalogue entry. Blocks for
/// reading all of it.
/// Faults: hash-mismatch, not-found, disk-error, cancelled.
[[nodiscard]] Result<VerifiedArtefact> verify_artefact(std::filesystem::path const& path, document::Image const& image,
                                                       std::stop_token const& stop);

/// How long what runs ahead of the swarm waits.
struct Patience {
  std::chrono::milliseconds next{std::chrono::minutes{1}};   ///< for the next bytes
  std::chrono::milliseconds whole{std::chrono::minutes{5}};  ///< for the last ones
};

/// An artefact, whole or still arriving. What is here can be read and worked on, but nothing may come of it that is
/// neither hidden nor temporary before `verified` has answered. A value that can be copied; thread-safe.
class Artefact {
public:
  Artefact(VerifiedArtefact whole)  // NOLINT(google-explicit-constructor): a whole one is one, too
      : whole_{std::move(whole)} {}
  /// One of layout `file` that is arriving. Begins to hash it on a thread of its own, until `stop`; the last copy waits
  /// for that.
  /// Faults: not-found, permission, disk-error.
  [[nodiscard]] static Result<Artefact> open(std::filesystem::path const& path, document::Image const& image,
                                             std::shared_ptr<Arrival const> arrival, std::stop_token stop,
                                             Patience patience = {});

  document::Image const& image() const;
  VerifiedArtefact const* whole() const { return whole_ ? &*whole_ : nullptr; }  ///< null: it was arriving

  // Of one that was arriving:
  /// Fills `out` as soon as all that is here. Faults: cancelled (it does not come), disk-error.
  [[nodiscard]] Result<> read(std::uint64_t offset, std::span<std::byte> out, std::stop_token const& stop) const;
  /// What the file system of this path must still take in.
  ByteCount missing_on(std::filesystem::path const& path) const;
  /// Can the file system let others have its blocks, too? `trial`, a new file, is filled with what is here.
  bool can_share_with(UniqueFd const& trial) const;

  /// Blocks until all of it is here, and hashed. Faults: hash-mismatch, disk-error, cancelled.
  [[nodiscard]] Result<VerifiedArtefact> verified() const;

private:
  struct Arriving;
  Artefact(std::shared_ptr<Arriving const> arriving, std::shared_future<Result<VerifiedArtefact>> verdict)
      : arriving_{std::move(arriving)}, verdict_{std::move(verdict)} {}
  static Result<VerifiedArtefact> hash(Arriving const& arriving, std::stop_token const& stop);

  std::optional<VerifiedArtefact> whole_;
  std::shared_ptr<Arriving const> arriving_;
  std::shared_future<Result<VerifiedArtefact>> verdict_;
};

}  // namespace imageswarm::flow
