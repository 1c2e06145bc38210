#pragma once

#include <atomic>
#include <cstdint>
#include <libtorrent/add_torrent_params.hpp>
#include <memory>

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// Payload of one transfer by where it came from, which libtorrent itself does not tell apart once a connection is
/// gone. Added to on libtorrent's network thread, read on any.
struct Counters {
  std::atomic<std::uint64_t> from_peers{0}, from_web_seeds{0}, uploaded{0};
};

/// For add_torrent_params::extensions.
using Extension = decltype(lt::add_torrent_params::extensions)::value_type;
Extension counting(std::shared_ptr<Counters> counters);

}  // namespace imageswarm::swarm
