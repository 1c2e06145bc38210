#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::exchange {

/// What a version 1 torrent of one file (BEP 3) says of it.
struct OldTorrent {
  ByteCount size, piece_length;
  std::string pieces;  ///< SHA-1 of each piece, one after the other
};

/// Reads the torrent file if its SHA-1 is `expected` and its file is `content_name`.
/// Faults: hash-mismatch, torrent-syntax, torrent-files, torrent-name, torrent-size.
[[nodiscard]] Result<OldTorrent> read_old_torrent(std::string_view bytes, Sha1 const& expected,
                                                  std::string_view content_name);

/// Compares a file with the pieces of its torrent while its bytes pass by.
class PieceCheck {
public:
  explicit PieceCheck(OldTorrent torrent) : torrent_{std::move(torrent)} {}

  void update(std::span<std::byte const> data);
  /// Fault: hash-mismatch.
  [[nodiscard]] Result<> finish();

private:
  void end_piece();

  OldTorrent torrent_;
  Hasher<Sha1> hasher_;
  ByteCount in_piece_, total_;
  std::size_t checked_ = 0;  ///< bytes of `pieces`
  bool good_ = true;
};

}  // namespace imageswarm::exchange
