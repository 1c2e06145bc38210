#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/units.hpp"
#include "common/torrent/pieces.hpp"

namespace imageswarm::reuse {

/// A file on this host that had these pieces when it was verified.
struct Source {
  std::filesystem::path path;
  ByteCount piece_length;
  std::vector<Sha256> pieces;
};

/// A piece in one of the sources; its length is that of the wanted piece.
struct Place {
  std::size_t source = 0;
  ByteCount offset;
  bool operator==(Place const&) const = default;
};

/// For every wanted piece, in the torrent's order, where the same bytes lie: wherever they were in the older file.
std::vector<std::optional<Place>> places_of(torrent::PieceHashes const& wanted, std::vector<Source> const& sources);

}  // namespace imageswarm::reuse
