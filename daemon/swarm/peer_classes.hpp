#pragma once

#include <libtorrent/peer_class.hpp>
#include <libtorrent/session.hpp>
#include <vector>

#include "daemon/flow/settings.hpp"
#include "daemon/swarm/network.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// The host's rates as libtorrent's peer classes: every peer is in the global one, whose limits are the session's (by
/// default libtorrent lets private addresses ignore rates and slots), and who is outside the site is in a second one
/// too.
class PeerClasses {
public:
  explicit PeerClasses(lt::session& session);

  /// Counts for the connections that are made from now on. Empty: nobody is far.
  void set_site(std::vector<Network> const& site);
  /// At once, for all connections.
  void set_rates(flow::HostRates const& rates);

private:
  lt::session& session_;
  lt::peer_class_t far_;
};

}  // namespace imageswarm::swarm
