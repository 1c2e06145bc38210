#include "common/torrent/pieces.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "common/torrent/bencode.hpp"
#include "common/torrent/merkle.hpp"

namespace imageswarm::torrent {
namespace {

std::vector<Sha256> digests_in(std::string_view text) {
  std::vector<Sha256> digests(text.size() / sizeof(Sha256::bytes));
  for (auto& digest : digests) {
    std::memcpy(digest.bytes.data(), text.data(), digest.bytes.size());
    text.remove_prefix(digest.bytes.size());
  }
  return digests;
}

Sha256 hash_of_block(std::span<std::byte const> block) {
  Hasher<Sha256> hasher;
  hasher.update(block);
  return hasher.finish();
}

/// The tree of a file that is one piece is as wide as its blocks need; that of any other piece has a fixed width.
Sha256 root_of_blocks(std::vector<Sha256> blocks, HashedFile const& file, ByteCount piece_length) {
  auto const width = file.size > piece_length ? piece_length.value / block_size.value : std::bit_ceil(blocks.size());
  return merkle_root(std::move(blocks), width);
}

}  // namespace

PieceHashes piece_hashes_of(AdmittedTorrent const& torrent) {
  auto const decoded = decoded_of(torrent);
  auto const& info = *decoded.find("info");
  auto const& layers = *decoded.find("piece layers");
  auto const& tree = *info.find("file tree")->map();
  // Of several files the artefact is the directory.
  auto const directory = tree.size() > 1 ? std::string{*info.text("name")} + "/" : "";
  PieceHashes hashes{{static_cast<std::uint64_t>(*info.integer("piece length"))}, {}};
  for (auto const& [name, node] : tree) {
    auto const& file = *node.find("");
    auto const root = *file.text("pieces root");
    auto const* layer = layers.text(root);
    hashes.files.push_back({directory + std::string{name},
                            {static_cast<std::uint64_t>(*file.integer("length"))},
                            digests_in(layer ? *layer : root)});
  }
  return hashes;
}

Sha256 hash_of_piece(std::span<std::byte const> data, HashedFile const& file, ByteCount piece_length) {
  std::vector<Sha256> blocks;
  blocks.reserve(count_of({data.size()}, block_size));
  for (; !data.empty(); data = data.subspan(std::min<std::size_t>(data.size(), block_size.value))) {
    blocks.push_back(hash_of_block(data.first(std::min<std::size_t>(data.size(), block_size.value))));
  }
  return root_of_blocks(std::move(blocks), file, piece_length);
}

Sha256 hash_of_zeros(ByteCount length, HashedFile const& file, ByteCount piece_length) {
  static constexpr std::array<std::byte, block_size.value> zeros{};
  static auto const whole_block = hash_of_block(zeros);
  std::vector<Sha256> blocks(length.value / block_size.value, whole_block);
  if (auto const rest = length.value % block_size.value) blocks.push_back(hash_of_block(std::span{zeros}.first(rest)));
  return root_of_blocks(std::move(blocks), file, piece_length);
}

ByteCount zeros_in(PieceHashes const& hashes) {
  ByteCount zeros;
  for (auto const& file : hashes.files) {
    ByteCount length;
    Sha256 hash;
    for (std::size_t piece = 0; piece < file.pieces.size(); ++piece) {
      auto const now = file.length_of(piece, hashes.piece_length);
      if (now != std::exchange(length, now)) hash = hash_of_zeros(now, file, hashes.piece_length);
      if (file.pieces[piece] == hash) zeros += now;
    }
  }
  return zeros;
}

}  // namespace imageswarm::torrent
