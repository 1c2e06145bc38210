#include "daemon/swarm/session_settings.hpp"

#include <climits>
#include <libtorrent/alert.hpp>
#include <libtorrent/disk_interface.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/socket.hpp>

#include "common/base/text.hpp"

namespace imageswarm::swarm {
namespace {

using Pack = lt::settings_pack;

Result<> set_listen(Pack& pack, flow::SwarmSettings const& settings) {
  auto const listen = parse_host_port(settings.listen);
  if (!listen) return fail(Error{listen.error()}.in("swarm.listen"));
  boost::system::error_code error;
  auto const address = lt::make_address(listen->first, error);
  if (error) {
    return fail(Fault::config_value, "swarm.listen: '{}' is not an address and a port", printable(settings.listen));
  }
  auto const tls = listen->first.find(':') == std::string::npos ? listen->first : "[" + listen->first + "]";
  pack.set_str(Pack::listen_interfaces, settings.ssl.empty()
                                            ? settings.listen
                                            : fmt::format("{},{}:{}s", settings.listen, tls, settings.ssl_port));
  // Who listens on one address must be seen to come from it: peers take (address, listen port) for the node.
  pack.set_str(Pack::outgoing_interfaces, address.is_unspecified() ? "" : address.to_string());
  return {};
}

/// Confined to the site: DHT starts at configured nodes only and private addresses count like others.
Result<> set_discovery(Pack& pack, flow::SwarmSettings const& settings) {
  for (auto const& node : settings.dht_nodes) {
    if (auto parsed = parse_host_port(node); !parsed) return fail(std::move(parsed.error()).in("swarm.dht-nodes"));
  }
  pack.set_bool(Pack::enable_dht, settings.dht);
  pack.set_str(Pack::dht_bootstrap_nodes, join(settings.dht_nodes, ","));
  pack.set_bool(Pack::dht_restrict_routing_ips, false);
  pack.set_bool(Pack::dht_restrict_search_ips, false);
  pack.set_bool(Pack::dht_ignore_dark_internet, false);
  pack.set_bool(Pack::dht_prefer_verified_node_ids, false);
  pack.set_int(Pack::dht_announce_interval, 120);
  pack.set_bool(Pack::enable_lsd, settings.local_discovery);
  pack.set_bool(Pack::enable_upnp, false);
  pack.set_bool(Pack::enable_natpmp, false);
  return {};
}

void set_limits(Pack& pack) {
  // Slots are limited per image (upload-peers, seed-peers), not for the host.
  pack.set_int(Pack::unchoke_slots_limit, -1);
  pack.set_int(Pack::connections_limit, 500);
  pack.set_int(Pack::allowed_fast_set_size, 0);  // would serve peers beyond the slots
  for (auto const limit : {Pack::active_downloads, Pack::active_seeds, Pack::active_checking, Pack::active_dht_limit,
                           Pack::active_tracker_limit, Pack::active_lsd_limit, Pack::active_limit}) {
    pack.set_int(limit, -1);
  }
}

/// A flash crowd in one data centre: short queues, no redundant messages, quick reconnects.
void set_strategy(Pack& pack) {
  pack.set_bool(Pack::enable_outgoing_utp, false);  // it corrupts payload before 2.0.11
  pack.set_bool(Pack::enable_incoming_utp, false);
  pack.set_int(Pack::out_enc_policy, Pack::pe_disabled);  // hides nothing that is secret, costs CPU
  pack.set_bool(Pack::send_redundant_have, false);
  pack.set_int(Pack::request_queue_time, 1);
  pack.set_int(Pack::peer_connect_timeout, 5);
  pack.set_int(Pack::min_reconnect_time, 2);
  pack.set_int(Pack::max_failcount, 20);
  pack.set_bool(Pack::announce_to_all_trackers, true);
  pack.set_bool(Pack::announce_to_all_tiers, true);
  pack.set_int(Pack::stop_tracker_timeout, 1);
  pack.set_int(Pack::web_seed_name_lookup_retry, 60);
  pack.set_int(Pack::urlseed_wait_retry, 10);
}

void set_caution(Pack& pack) {
  pack.set_bool(Pack::ssrf_mitigation, true);
  pack.set_bool(Pack::validate_https_trackers, true);
  pack.set_bool(Pack::allow_idna, false);
  pack.set_bool(Pack::allow_multiple_connections_per_ip, false);
  // Trackers and web seeds come from signed documents and from the operator; they may be outside the site.
  pack.set_bool(Pack::apply_ip_filter_to_trackers, false);
  // no_system_ports() does this, with an exception for web seeds that libtorrent's own rule does not make.
  pack.set_bool(Pack::no_connect_privileged_ports, false);
  pack.set_bool(Pack::listen_system_port_fallback, false);
  pack.set_int(Pack::max_retry_port_bind, 0);
}

/// A guest of the hypervisor: 3 to 5 MB while swarming. The dirty pages are the kernel's, not ours.
void set_memory(Pack& pack) {
  pack.set_int(Pack::aio_threads, 2);
  pack.set_int(Pack::hashing_threads, 1);
  pack.set_int(Pack::file_pool_size, 16);
  pack.set_int(Pack::max_queued_disk_bytes, 1 << 20);
  pack.set_int(Pack::send_buffer_watermark, 256 << 10);
  pack.set_int(Pack::alert_queue_size, 10'000);
  pack.set_int(Pack::max_peerlist_size, 1000);
}

}  // namespace

Result<std::pair<std::string, std::uint16_t>> parse_host_port(std::string_view text) {
  auto const colon = text.rfind(':');
  auto host = text.substr(0, colon == text.npos ? 0 : colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  auto const port = parse_number(colon == text.npos ? "" : text.substr(colon + 1), 0, 65535);
  if (!port || host.empty() || host.find_first_of(", ") != host.npos) {
    return fail(Fault::config_value, "'{}' is not of the form HOST:PORT", printable(text));
  }
  return std::pair{std::string{host}, static_cast<std::uint16_t>(*port)};
}

int limit_of(Rate rate) {
  return rate.bytes_per_second > INT_MAX ? 0 : static_cast<int>(rate.bytes_per_second);
}

lt::settings_pack rate_settings(flow::HostRates const& rates) {
  lt::settings_pack pack;
  pack.set_int(Pack::download_rate_limit, limit_of(rates.download_rate));
  pack.set_int(Pack::upload_rate_limit, limit_of(rates.upload_rate));
  return pack;
}

Result<lt::settings_pack> session_settings(flow::SwarmSettings const& settings) {
  lt::settings_pack pack;
  if (auto set = set_listen(pack, settings); !set) return fail(std::move(set.error()));
  if (auto set = set_discovery(pack, settings); !set) return fail(std::move(set.error()));
  set_limits(pack);
  set_strategy(pack);
  set_caution(pack);
  set_memory(pack);
  pack.set_str(Pack::user_agent, "imageswarm/" IMAGESWARM_VERSION);
  pack.set_str(Pack::peer_fingerprint, "-IS0001-");
  using Category = lt::alert_category_t;
  Category const wanted = lt::alert_category::error | lt::alert_category::status | lt::alert_category::storage |
                          lt::alert_category::peer | lt::alert_category::tracker;
  pack.set_int(Pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(wanted)));
  return pack;
}

Result<lt::session_params> session_params(flow::SwarmSettings const& settings) {
  auto pack = session_settings(settings);
  if (!pack) return fail(std::move(pack.error()));
  // Without libtorrent's default plugins: peer exchange is given to each torrent where it is wanted, magnets never.
  lt::session_params params{std::move(*pack), std::vector<std::shared_ptr<lt::plugin>>{}};
  // The mmap back end shows whole images in the daemon's resident memory.
  params.disk_io_constructor = lt::posix_disk_io_constructor;
  return params;
}

lt::port_filter no_system_ports() {
  lt::port_filter filter;
  filter.add_rule(0, 1023, lt::port_filter::blocked);
  filter.add_rule(80, 80, 0);
  filter.add_rule(443, 443, 0);
  return filter;
}

}  // namespace imageswarm::swarm
