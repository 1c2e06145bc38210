#include "daemon/reuse/index.hpp"

#include <map>

namespace imageswarm::reuse {

std::vector<std::optional<Place>> places_of(torrent::PieceHashes const& wanted, std::vector<Source> const& sources) {
  std::map<Sha256, std::optional<Place>> index;
  for (auto const& file : wanted.files) {
    for (auto const& piece : file.pieces) index.try_emplace(piece);
  }
  for (std::size_t source = 0; source < sources.size(); ++source) {
    ByteCount offset;
    for (auto const& piece : sources[source].pieces) {
      auto const at = index.find(piece);
      if (at != index.end() && !at->second) at->second = {source, offset};
      offset += sources[source].piece_length;
    }
  }
  std::vector<std::optional<Place>> places;
  for (auto const& file : wanted.files) {
    for (auto const& piece : file.pieces) places.push_back(index.at(piece));
  }
  return places;
}

}  // namespace imageswarm::reuse
