// Threads. The loop calls what swarm.hpp declares; libtorrent has a network thread and a few for the disk; one thread
// of ours (alerts.cpp) takes libtorrent's alerts, ticks once a second, writes the resume files and calls the listener;
// another (address_filter.cpp) resolves names. The loop and the alert thread share the entries under one mutex, which
// is held for memory work and for calls into libtorrent, never for files or for the listener. libtorrent's threads
// never take it. Counters are atomics that the network thread adds to.
#include "daemon/swarm/swarm.hpp"

#include <algorithm>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_flags.hpp>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/swarm/impl.hpp"
#include "daemon/swarm/session_settings.hpp"

namespace imageswarm::swarm {
namespace {

constexpr auto listen_patience = std::chrono::seconds{5};
constexpr auto save_patience = std::chrono::milliseconds{1500};

Rate rate_of(int bytes_per_second) {
  return {static_cast<std::uint64_t>(std::max(0, bytes_per_second))};
}

std::string web_seed_of(Entry const& entry, std::string const& client) {
  for (auto const& url : entry.web_seeds) {
    if (client.find(host_of(url)) != client.npos) return url;
  }
  return client;
}

}  // namespace

Swarm::Impl::Impl(lt::session_params params, flow::SwarmSettings const& settings, Listener listener, Patience patience)
    : listener_{std::move(listener)},
      patience_{patience},
      session_{std::move(params)},
      classes_{session_},
      filter_{[this](lt::ip_filter filter) { session_.set_ip_filter(std::move(filter)); }},
      rendezvous_{session_},
      settings_{settings} {
  session_.set_port_filter(no_system_ports());
  classes_.set_rates(settings);
  set_slots(settings);
  rendezvous_.apply(settings);
}

Result<> Swarm::Impl::set_networks(flow::SwarmSettings const& settings) {
  auto networks = parse_networks(settings.networks);
  if (!networks) return fail(std::move(networks.error()).in("swarm.networks"));
  auto site = parse_networks(settings.site);
  if (!site) return fail(std::move(site.error()).in("swarm.site"));
  filter_.set_networks(std::move(*networks));
  classes_.set_site(*site);
  neighbourhood_->set(std::move(*site), settings.far_copies);
  return {};
}

Result<> Swarm::Impl::wait_until_listening() {
  auto const deadline = std::chrono::steady_clock::now() + listen_patience;
  bool plain = false, tls = settings_.ssl.empty();
  while (std::chrono::steady_clock::now() < deadline) {
    session_.wait_for_alert(std::chrono::milliseconds{500});
    std::vector<lt::alert*> alerts;
    session_.pop_alerts(&alerts);
    for (auto const* alert : alerts) {
      auto const* good = lt::alert_cast<lt::listen_succeeded_alert>(alert);
      plain |= good && good->socket_type == lt::socket_type_t::tcp;
      tls |= good && good->socket_type == lt::socket_type_t::tcp_ssl;
      if (plain && tls) return {};
      if (auto const* bad = lt::alert_cast<lt::listen_failed_alert>(alert)) {
        return fail(Fault::swarm_listen, "cannot listen on {}:{}: {}", bad->address.to_string(), bad->port,
                    bad->error.message());
      }
    }
  }
  return fail(Fault::swarm_listen, "cannot listen on {}: no answer from libtorrent", printable(settings_.listen));
}

Entry* Swarm::Impl::find(Uuid const& image_id) {
  auto const found = entries_.find(image_id);
  return found == entries_.end() ? nullptr : &found->second;
}

/// Saves every resume file and leaves the swarm.
void Swarm::Impl::close() {
  alert_thread_.request_stop();
  session_.post_torrent_updates();  // an alert, to wake it
  if (alert_thread_.joinable()) alert_thread_.join();
  listener_ = [](Event const&) {};  // whoever listened may be gone
  auto const waiting = [this] {
    return std::any_of(entries_.begin(), entries_.end(), [](auto const& entry) { return entry.second.saving; });
  };
  {
    std::lock_guard const lock{mutex_};
    for (auto& [id, entry] : entries_) save(entry);
  }
  auto const deadline = std::chrono::steady_clock::now() + save_patience;
  while (waiting() && std::chrono::steady_clock::now() < deadline) {
    session_.wait_for_alert(std::chrono::milliseconds{100});
    std::vector<lt::alert*> alerts;
    session_.pop_alerts(&alerts);
    handle_all(alerts);
  }
}

Swarm::Swarm(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

Swarm::~Swarm() {
  try {
    impl_->close();
  } catch (std::exception const& error) {
    log_warning("leaving the swarm: {}", printable(error.what()));
  }
}

Result<std::unique_ptr<Swarm>> Swarm::open(flow::SwarmSettings const& settings, Listener listener, Patience patience) {
  auto params = session_params(settings);
  if (!params) return fail(std::move(params.error()));
  try {
    auto impl = std::make_unique<Impl>(std::move(*params), settings, std::move(listener), patience);
    if (auto set = impl->set_networks(settings); !set) return fail(std::move(set.error()));
    if (auto listening = impl->wait_until_listening(); !listening) return fail(std::move(listening.error()));
    impl->take_certificates(HostCertificates::load(settings.ssl));
    impl->alert_thread_ = std::jthread{[run = impl.get()](std::stop_token const& stop) { run->run(stop); }};
    return std::unique_ptr<Swarm>{new Swarm{std::move(impl)}};
  } catch (std::exception const& error) {
    return fail(Fault::swarm_error, "starting libtorrent: {}", printable(error.what()));
  }
}

Result<> Swarm::add(Transfer transfer) {
  try {
    return impl_->add(std::move(transfer));
  } catch (std::exception const& error) {
    return fail(Fault::swarm_error, "adding a torrent: {}", printable(error.what()));
  }
}

void Swarm::remove(Uuid const& image_id) {
  std::lock_guard const lock{impl_->mutex_};
  auto const* entry = impl_->find(image_id);
  if (!entry) return;
  impl_->files_.erase(entry->resume_file);
  std::erase_if(impl_->events_, [&](Event const& event) { return event.image_id == image_id; });
  impl_->forget(*entry);
}

void Swarm::restart(Uuid const& image_id) {
  std::lock_guard const lock{impl_->mutex_};
  auto* entry = impl_->find(image_id);
  if (!entry || entry->in_place) return;
  entry->status.complete = false;
  entry->rechecking = true;
  entry->handle.force_recheck();
}

void Swarm::set_rates(flow::HostRates const& rates) {
  impl_->classes_.set_rates(rates);
}

Result<> Swarm::apply(flow::SwarmSettings const& settings) {
  auto kept = settings;
  auto certificates = HostCertificates::load(settings.ssl);
  std::lock_guard const lock{impl_->mutex_};
  kept.listen = impl_->settings_.listen;
  kept.ssl_port = impl_->settings_.ssl_port;
  auto pack = session_settings(kept);
  if (!pack) return fail(std::move(pack.error()));
  if (auto set = impl_->set_networks(kept); !set) return set;
  bool const exchange_changed = kept.peer_exchange != impl_->settings_.peer_exchange;
  bool const trackers_changed = kept.trackers != impl_->settings_.trackers;
  impl_->settings_ = std::move(kept);
  impl_->session_.apply_settings(std::move(*pack));
  impl_->classes_.set_rates(settings);
  impl_->take_certificates(std::move(certificates));
  impl_->set_slots(settings);
  impl_->rendezvous_.apply(settings);
  if (!exchange_changed && !trackers_changed) return {};
  for (auto& [id, entry] : impl_->entries_) {
    // Peer exchange is fixed when a torrent is added.
    entry.adding_again = true;
    impl_->save(entry);
  }
  return {};
}

void Swarm::resume_after_disk_full() {
  std::lock_guard const lock{impl_->mutex_};
  for (auto& [id, entry] : impl_->entries_) {
    if (entry.halted && entry.disk_full) impl_->go_on(entry);
  }
}

void Swarm::request_statuses() {
  impl_->session_.post_torrent_updates();
}

std::vector<TransferStatus> Swarm::statuses() const {
  std::lock_guard const lock{impl_->mutex_};
  std::vector<TransferStatus> all;
  for (auto const& [id, entry] : impl_->entries_) {
    auto& status = all.emplace_back(entry.status);
    status.from_peers = {entry.counters->from_peers};
    status.from_web_seeds = {entry.counters->from_web_seeds};
    status.uploaded = {entry.counters->uploaded};
    status.found_here = entry.found_here;
  }
  return all;
}

std::vector<PeerStatus> Swarm::peers(Uuid const& image_id) const {
  std::lock_guard const lock{impl_->mutex_};
  std::vector<PeerStatus> all;
  auto const* entry = impl_->find(image_id);
  if (!entry) return all;
  std::vector<lt::peer_info> peers;
  entry->handle.get_peer_info(peers);
  for (auto const& peer : peers) {
    bool const web = peer.connection_type != lt::peer_info::standard_bittorrent;
    auto const count = [](std::int64_t bytes) { return ByteCount{static_cast<std::uint64_t>(std::max(bytes, {}))}; };
    auto const address =
        peer.ip.address().is_v6() ? fmt::format("[{}]", peer.ip.address().to_string()) : peer.ip.address().to_string();
    all.push_back({web ? web_seed_of(*entry, peer.client) : fmt::format("{}:{}", address, peer.ip.port()),
                   printable(peer.client), static_cast<double>(peer.progress), rate_of(peer.payload_down_speed),
                   rate_of(peer.payload_up_speed), count(peer.total_download), count(peer.total_upload)});
  }
  return all;
}

exchange::Neighbours& Swarm::neighbours() {
  return impl_->rendezvous_;
}

std::uint16_t Swarm::port() const {
  return impl_->session_.listen_port();
}

std::uint16_t Swarm::ssl_port() const {
  return impl_->session_.ssl_listen_port();
}

}  // namespace imageswarm::swarm
