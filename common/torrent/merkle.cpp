#include "common/torrent/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace imageswarm::torrent {

Sha256 merkle_root(std::vector<Sha256> nodes, std::size_t width, Sha256 filler) {
  assert(!nodes.empty() && std::has_single_bit(width) && nodes.size() <= width);
  Hasher<Sha256> hasher;
  auto const parent = [&hasher](Sha256 const& left, Sha256 const& right) {
    hasher.update(std::as_bytes(std::span{left.bytes}));
    hasher.update(std::as_bytes(std::span{right.bytes}));
    return hasher.finish();
  };
  for (; width > 1; width /= 2) {
    if (nodes.size() % 2 != 0) nodes.push_back(filler);
    for (std::size_t i = 0; i < nodes.size() / 2; ++i) nodes[i] = parent(nodes[2 * i], nodes[2 * i + 1]);
    nodes.resize(nodes.size() / 2);
    filler = parent(filler, filler);
  }
  return nodes.front();
}

Sha256 root_of_file(std::span<std::byte const> content) {
  std::vector<Sha256> blocks;
  blocks.reserve(count_of({content.size()}, block_size));
  Hasher<Sha256> hasher;
  for (std::size_t at = 0; at < content.size(); at += block_size.value) {
    hasher.update(content.subspan(at, std::min<std::size_t>(block_size.value, content.size() - at)));
    blocks.push_back(hasher.finish());
  }
  auto const width = std::bit_ceil(blocks.size());
  return merkle_root(std::move(blocks), width);
}

Sha256 root_of_layer(std::vector<Sha256> pieces, ByteCount piece_length) {
  auto const empty_piece = merkle_root({Sha256{}}, piece_length.value / block_size.value);
  auto const width = std::bit_ceil(pieces.size());
  return merkle_root(std::move(pieces), width, empty_piece);
}

std::size_t count_of(ByteCount artefact, ByteCount length) {
  return artefact.value / length.value + (artefact.value % length.value != 0 ? 1 : 0);
}

}  // namespace imageswarm::torrent
