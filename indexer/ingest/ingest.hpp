#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/torrent/torrent.hpp"

namespace imageswarm::ingest {

/// How an image becomes an artefact.
struct Recipe {
  document::Compression compression = document::Compression::none;
  torrent::Flavour flavour = torrent::Flavour::v2;
  ByteCount piece_length;
};

/// Everything that one reading of an image tells.
struct Digests {
  ByteCount content_size;
  Sha256 content_sha256;
  Sha512 content_sha512;
  ByteCount artefact_size;
  Sha256 artefact_sha256;
  torrent::Builder builder;  ///< has seen the whole artefact; the torrent is made when its name is known
};

/// A file that has no name yet that counts: removed again unless it is moved into place.
class TemporaryFile {
public:
  /// In `directory`, with a name that `remove_temporaries` knows. Faults: disk faults.
  [[nodiscard]] static Result<TemporaryFile> create(std::filesystem::path const& directory);
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  int fd() const { return fd_.get(); }
  std::filesystem::path const& path() const { return path_; }
  /// Complete and durable under its name, readable for everybody.
  [[nodiscard]] Result<> move_to(std::filesystem::path const& name);

private:
  TemporaryFile(UniqueFd fd, std::filesystem::path path) : fd_{std::move(fd)}, path_{std::move(path)} {}
  UniqueFd fd_;
  std::filesystem::path path_;  ///< empty once moved
};

/// Called with the bytes read so far, on the calling thread; an error ends the reading.
using Progress = std::function<Result<>(ByteCount)>;

/// Reads the image once, from its start, and writes the artefact; digests, compression and piece hashes run beside one
/// another on threads of their own. Blocks.
/// Faults: disk faults (also an image that changes while it is read), torrent-size, and those of `progress`.
[[nodiscard]] Result<Digests> ingest(UniqueFd const& image, Recipe const& recipe, TemporaryFile const& artefact,
                                     Progress const& progress);

/// A piece length for the artefact that this image will become. How well it compresses is not known before: holes
/// count nothing, the rest is taken to shrink to half.
[[nodiscard]] Result<ByteCount> likely_piece_length(UniqueFd const& image, document::Compression compression);

}  // namespace imageswarm::ingest
