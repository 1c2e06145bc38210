#pragma once

#include <atomic>
#include <libtorrent/torrent_info.hpp>
#include <memory>

#include "daemon/swarm/counters.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// How many peers get data at a time, per image. Written by any thread, read on libtorrent's network thread.
struct Slots {
  std::atomic<unsigned> while_downloading, while_seeding;
};

/// For add_torrent_params::extensions: as soon as the torrent is complete it seeds by offers (docs/design.md, "The
/// source's offers"). Sees to the torrent's upload slots, too.
Extension offering(std::shared_ptr<lt::torrent_info const> info, std::shared_ptr<Slots const> slots);

}  // namespace imageswarm::swarm
