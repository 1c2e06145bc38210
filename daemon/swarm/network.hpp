#pragma once

#include <libtorrent/address.hpp>
#include <string>
#include <vector>

#include "common/base/result.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// All addresses from the first to the last.
struct Network {
  lt::address first, last;
};

/// CIDR like 10.0.0.0/8 or single addresses. Fault: config-value.
[[nodiscard]] Result<std::vector<Network>> parse_networks(std::vector<std::string> const& texts);

bool holds(std::vector<Network> const& networks, lt::address const& address);

}  // namespace imageswarm::swarm
