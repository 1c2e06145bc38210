#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/units.hpp"

namespace imageswarm::torrent {

/// BEP 52: the leaves of a file's tree are the SHA-256 of its blocks of this size; the last block is not padded.
inline constexpr ByteCount block_size = 16_KiB;

/// The root over `nodes`, which are filled up with `filler` to `width`, a power of two. One node of width 1 is its
/// own root.
Sha256 merkle_root(std::vector<Sha256> nodes, std::size_t width, Sha256 filler = {});

/// The root of a whole file, as short as one piece or not: it does not depend on the piece length.
Sha256 root_of_file(std::span<std::byte const> content);

/// The root over a file's piece layer: what is missing to a power of two counts as pieces of zero leaves.
Sha256 root_of_layer(std::vector<Sha256> pieces, ByteCount piece_length);

/// How many pieces (or blocks) of this length an artefact has.
std::size_t count_of(ByteCount artefact, ByteCount length);

}  // namespace imageswarm::torrent
