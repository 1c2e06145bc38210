#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/units.hpp"
#include "common/torrent/torrent.hpp"

namespace imageswarm::torrent {

/// One file of a torrent and the v2 hashes of its pieces (BEP 52, "piece layers"), in their order.
///
/// A piece hash stands for its content alone, so equal pieces have equal hashes at any place of any file, as long as
/// the piece length is the same. A file of one piece has its root instead, which speaks only for files of that size.
struct HashedFile {
  std::string name;  ///< a path below where the artefact lies
  ByteCount size;
  std::vector<Sha256> pieces;

  ByteCount length_of(std::size_t piece, ByteCount piece_length) const {
    return std::min(piece_length, size - ByteCount{piece * piece_length.value});
  }
};

/// What an admitted torrent, v2 or hybrid, says of its files.
struct PieceHashes {
  ByteCount piece_length;
  std::vector<HashedFile> files;  ///< in the torrent's order: pieces are counted through all of them
};
PieceHashes piece_hashes_of(AdmittedTorrent const& torrent);

/// The hash that `data` has as a piece of `file`: at most a piece length, and less only at the end.
Sha256 hash_of_piece(std::span<std::byte const> data, HashedFile const& file, ByteCount piece_length);

/// The same of `length` zeros.
Sha256 hash_of_zeros(ByteCount length, HashedFile const& file, ByteCount piece_length);

/// How much of the files is pieces of zeros, which need no room on a disk.
ByteCount zeros_in(PieceHashes const& hashes);

}  // namespace imageswarm::torrent
