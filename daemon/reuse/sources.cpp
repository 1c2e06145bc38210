#include "daemon/reuse/sources.hpp"

#include <utility>

#include "common/base/file.hpp"

namespace imageswarm::reuse {

std::vector<Source> sources_among(std::vector<Known> const& known) {
  std::vector<Source> sources;
  for (auto const& artefact : known) {
    auto bytes = read_file(artefact.torrent, torrent::max_torrent_size);
    if (!bytes) continue;  // gave way to newer ones
    auto const admitted = torrent::admit(std::move(*bytes), artefact.promised);
    if (!admitted) continue;
    auto hashes = torrent::piece_hashes_of(*admitted);
    for (auto& file : hashes.files) {
      sources.push_back({artefact.directory / file.name, hashes.piece_length, std::move(file.pieces)});
    }
  }
  return sources;
}

}  // namespace imageswarm::reuse
