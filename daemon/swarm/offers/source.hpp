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

struct Offering {
  std::shared_ptr<lt::torrent_info const> info;
  std::shared_ptr<Slots const> slots;
  /// Hosts can unpack what arrives in order. Sources that begin at different pieces have little in common until they
  /// hear of each other's, so this is for the one that all the others have it from.
  bool from_the_start;
};

/// For add_torrent_params::extensions: as soon as the torrent is complete it seeds by offers (docs/design.md, "The
/// source's offers"). Sees to the torrent's upload slots, too.
Extension offering(Offering offering);

}  // namespace imageswarm::swarm
