#pragma once

#include <libtorrent/torrent_info.hpp>
#include <memory>
#include <vector>

#include "daemon/flow/arrival.hpp"
#include "daemon/swarm/counters.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// Tells `arrival` how far an artefact of one file is here without a gap: the pieces that pass, and those that were
/// hashed `here` before it was added. What a resume file claims does not count. Closes it when the torrent goes, also
/// to be added again. On libtorrent's network thread. Sound with libtorrent's posix_disk_io alone, which hashes a piece
/// only after it was written where others can read it.
Extension telling_order(std::shared_ptr<flow::Arrival> const& arrival, lt::torrent_info const& info,
                        std::vector<bool> here);

}  // namespace imageswarm::swarm
