#pragma once

#include <functional>

#include "common/base/digest.hpp"
#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "indexer/ingest/packer.hpp"

namespace imageswarm::ingest {

/// Everything that one reading of an image tells.
struct Digests {
  ByteCount content_size;
  Sha256 content_sha256;
  Sha512 content_sha512;
  Packed artefact;
};

/// Called with the bytes read so far, on the calling thread; an error ends the reading.
using Progress = std::function<Result<>(ByteCount)>;

/// Reads the image once, from its start, and has it packed; packing and digests run beside one another on threads of
/// their own. Blocks.
/// Faults: disk faults (also an image that changes while it is read), and those of `progress`.
[[nodiscard]] Result<Digests> ingest(UniqueFd const& image, Packer& packer, Progress const& progress);

/// A piece length for the artefact that this image will become. How well it compresses is not known before: holes
/// count nothing, the rest is taken to shrink to half.
[[nodiscard]] Result<ByteCount> likely_piece_length(UniqueFd const& image, document::Compression compression);

}  // namespace imageswarm::ingest
