#pragma once

#include <cstdint>
#include <libtorrent/session_params.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/flow/settings.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// libtorrent's settings for ours, but for the rates, which PeerClasses sets; the reasons stand beside them. Faults:
/// config-value.
[[nodiscard]] Result<lt::settings_pack> session_settings(flow::SwarmSettings const& settings);

/// Only the totals.
lt::settings_pack rate_settings(flow::HostRates const& rates);

/// Zero means no limit; libtorrent's counter is an int, so 2 GB/s and more is none.
int limit_of(Rate rate);

/// Everything that is fixed at the start of a session: the disk back end aside from the settings.
[[nodiscard]] Result<lt::session_params> session_params(flow::SwarmSettings const& settings);

/// No connections to ports of system services, but for those that web seeds have.
lt::port_filter no_system_ports();

/// "HOST:PORT" or "[HOST]:PORT". Fault: config-value.
[[nodiscard]] Result<std::pair<std::string, std::uint16_t>> parse_host_port(std::string_view text);

}  // namespace imageswarm::swarm
