#include "daemon/swarm/peer_classes.hpp"

#include <libtorrent/ip_filter.hpp>

#include "daemon/swarm/session_settings.hpp"

namespace imageswarm::swarm {

PeerClasses::PeerClasses(lt::session& session) : session_{session}, far_{session.create_peer_class("far")} {}

void PeerClasses::set_site(std::vector<Network> const& site) {
  auto const bit = [](lt::peer_class_t one) { return 1u << static_cast<std::uint32_t>(one); };
  auto const global = bit(lt::session::global_peer_class_id);
  auto const elsewhere = site.empty() ? global : global | bit(far_);
  lt::ip_filter filter;
  filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), elsewhere);
  filter.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), elsewhere);
  for (auto const& network : site) filter.add_rule(network.first, network.last, global);
  session_.set_peer_class_filter(filter);
}

void PeerClasses::set_rates(flow::HostRates const& rates) {
  session_.apply_settings(rate_settings(rates));
  auto far = session_.get_peer_class(far_);
  far.download_limit = limit_of(rates.far_download_rate);
  far.upload_limit = limit_of(rates.far_upload_rate);
  session_.set_peer_class(far_, far);
}

}  // namespace imageswarm::swarm
