#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/torrent/pieces.hpp"
#include "daemon/reuse/index.hpp"

namespace imageswarm::reuse {

/// What of an artefact is on the disk now.
struct Filled {
  std::vector<bool> pieces;  ///< one for each piece of the torrent, in its order
  ByteCount bytes;           ///< of these
};

/// Makes the files of `wanted` in `directory`, of full length, and puts in place what this host has: pieces of the
/// sources, pieces of zeros as holes, and what an interrupted run left. Sources are only read; where the file system
/// can, target and source then share the blocks.
///
/// Only what was hashed *in the target*, or on its way there, counts: a source may have changed since it was verified,
/// and a wrong piece would be served to others. What cannot be had from a source is left to the swarm. Blocks for
/// copying and hashing all of it. Faults: those of writing (disk-full, disk-error, permission), cancelled.
[[nodiscard]] Result<Filled> fill(std::filesystem::path const& directory, torrent::PieceHashes const& wanted,
                                  std::vector<Source> const& sources, std::stop_token const& stop);

}  // namespace imageswarm::reuse
