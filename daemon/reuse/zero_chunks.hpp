#pragma once

#include <filesystem>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/torrent/pieces.hpp"

namespace imageswarm::reuse {

/// Makes those chunks of `wanted` in `directory` that are `chunk_size` zeros: a hundred bytes or two, for which nobody
/// has to be asked. Before `fill`, which hashes and counts them. Where the publisher's libzstd
/// packs in another way than ours none is recognised, and they are fetched. Faults: disk faults.
[[nodiscard]] Result<> make_zero_chunks(std::filesystem::path const& directory, torrent::PieceHashes const& wanted,
                                        ByteCount chunk_size);

}  // namespace imageswarm::reuse
