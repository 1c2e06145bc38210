#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/units.hpp"

namespace imageswarm::image {

// What both sides of the fence agree on: the daemon or the indexer (inspector_process.cpp) and the helper
// `imageswarm-inspector` (inspector_main.cpp).
//
// Command line: COMPRESSION ARTEFACT-SIZE CONTENT-SIZE [derive|disk]. The artefact is descriptor 0: a file, read
// with pread only, because its offset is shared with the parent; or a socket, where the artefact is many files or still
// arriving: the helper writes an ArtefactRange of at most a piece, and gets exactly these bytes. Unpacked content goes
// to descriptor 1; with `derive` it is that of an appliance, and what goes there is what the order on descriptor 4
// (ova_order.hpp) makes of it. Descriptor 3 carries short lines:
//   image FORMAT CONTAINER VIRTUAL-SIZE PARTITIONS
//                     it is safe, but for its end; comes before the first byte of content
//   data BYTES        with `disk`: how much of the disk is not known to be zeros
//   end               everything was as promised; the last line
//   fault WORD TEXT   refused; the last line
//
// With `disk`, of an image that is not compressed, descriptor 1 carries the disk that a guest sees instead: each Extent
// followed by its bytes, in ascending order; what is left out is zeros.

inline constexpr int artefact_descriptor = 0;
inline constexpr int content_descriptor = 1;
inline constexpr int verdict_descriptor = 3;
inline constexpr int order_descriptor = 4;

inline constexpr std::string_view derive_word = "derive";

/// In the order of document::Compression; not its `name_of`, so that the helper needs nothing of the documents' room.
inline constexpr std::array<std::string_view, 5> compression_words{"none", "gzip", "xz", "zstd", "bzip2"};

/// In the order of Partitions.
inline constexpr std::array<std::string_view, 4> partition_words{"unknown", "some", "none", "boot-signature-only"};

/// All that the helper may say on the verdict descriptor, in bytes.
inline constexpr std::size_t max_verdict = 1024;

/// Content moves in pieces of this size.
inline constexpr std::size_t piece_size = 256u << 10;

struct ArtefactRange {
  std::uint64_t offset = 0, length = 0;
};

/// Of a disk: at most a piece.
struct Extent {
  std::uint64_t offset = 0, length = 0;
};

inline constexpr std::string_view disk_word = "disk";

/// What one job may cost at most, as CPU time and as time spent waiting for the helper: the slowest decoder on an old
/// processor still does several MiB in a second.
inline constexpr std::chrono::seconds time_budget(ByteCount artefact, ByteCount content) {
  auto const larger = artefact.value > content.value ? artefact.value : content.value;
  return std::chrono::seconds{60 + static_cast<std::chrono::seconds::rep>(larger >> 20)};
}

}  // namespace imageswarm::image
