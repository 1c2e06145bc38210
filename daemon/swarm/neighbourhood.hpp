#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "daemon/swarm/counters.hpp"
#include "daemon/swarm/crossing.hpp"
#include "daemon/swarm/network.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// Which addresses are of this host's site, and how many copies of an image may come in from elsewhere. Set on the
/// loop, asked on libtorrent's network thread.
class Neighbourhood {
public:
  /// Without networks nobody is far; without `far_copies` there is no limit.
  void set(std::vector<Network> site, std::optional<unsigned> far_copies);

  bool is_far(lt::address const& address) const;
  std::optional<unsigned> far_copies() const;

private:
  std::mutex mutable mutex_;  ///< guards what follows
  std::vector<Network> site_;
  std::optional<unsigned> far_copies_;
};

/// Closes the connections of a torrent to hosts outside the site while it is not for this host to fetch from there, and
/// tells its neighbours who comes first. `may_cross` is set to what holds at present, once a second.
Extension keeping_near(std::shared_ptr<Neighbourhood const> neighbourhood, Crossing::Waits waits,
                       std::shared_ptr<std::atomic<bool>> may_cross);

}  // namespace imageswarm::swarm
