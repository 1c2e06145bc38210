#include "daemon/swarm/rendezvous.hpp"

#include <algorithm>
#include <condition_variable>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/announce_entry.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/extensions/ut_pex.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "common/base/big_endian.hpp"
#include "common/base/log.hpp"
#include "common/torrent/meeting_point.hpp"
#include "daemon/exchange/exchange.hpp"
#include "daemon/swarm/session_settings.hpp"

namespace imageswarm::swarm {
namespace {

using namespace std::chrono_literals;
using exchange::Exchange;
using Instant = Rendezvous::Instant;

constexpr auto extension_name = "is_documents";
constexpr int extension_id = 20;       ///< that we want to be sent; those of libtorrent's own extensions are lower
constexpr char extended_message = 20;  ///< BEP 10
constexpr int max_connections = 20;
constexpr int max_unsent = 256 << 10;  ///< bytes, for one peer
constexpr auto shut_out_for = 1h;
constexpr std::size_t max_shut_out = 10'000;
constexpr auto call_interval = 30s;
constexpr auto first_patience = 10s;  ///< for configured neighbours after the start
constexpr auto longest_fetch = 40s;   ///< what is largest takes 32 s at the rate that neighbours keep to

Instant now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

struct Rendezvous::Table {
  std::mutex mutex;                     ///< guards all that follows
  std::condition_variable_any changed;  ///< somebody said something, or gave up
  Exchange exchange;
  std::map<Exchange::Peer, lt::tcp::endpoint> listening;
  std::map<lt::address, Instant> shut_out;  ///< until then
  Exchange::Peer last_peer = 0;
  Instant awaited_until;  ///< for what configured neighbours have to say

  bool is_shut_out(lt::address const& address) {
    std::erase_if(shut_out, [](auto const& each) { return now() > each.second; });
    return shut_out.contains(address);
  }
};

namespace {

using Table = Rendezvous::Table;

/// One connection, on libtorrent's network thread.
class Conversation final : public lt::peer_plugin {
public:
  Conversation(lt::peer_connection_handle peer, std::shared_ptr<Table> table)
      : peer_{std::move(peer)}, table_{std::move(table)} {}

  void add_handshake(lt::entry& handshake) override { handshake["m"][extension_name] = extension_id; }

  bool on_extension_handshake(lt::bdecode_node const& handshake) override {
    if (id_ != 0) return true;
    auto const names = handshake.dict_find_dict("m");
    their_id_ = names ? static_cast<char>(names.dict_find_int_value(extension_name) & 0xff) : '\0';
    auto listens = peer_.remote();
    if (!peer_.is_outgoing()) listens.port(static_cast<std::uint16_t>(handshake.dict_find_int_value("p")));
    {
      std::lock_guard const lock{table_->mutex};
      if (their_id_ != 0 && !table_->is_shut_out(listens.address())) {
        id_ = ++table_->last_peer;
        table_->exchange.join(id_, listens.address().to_string());
        table_->listening[id_] = listens;
      }
    }
    if (id_ == 0) hang_up();  // whoever has nothing to say here takes no place
    return id_ != 0;
  }

  bool on_extended(int length, int message, lt::span<char const> body) override {
    if (message != extension_id || id_ == 0) return false;
    bool const whole = body.size() == length;
    bool const too_long = length > static_cast<int>(exchange::max_message);
    if (!whole && !too_long) return true;
    bool const proper = !too_long && hear({body.data(), static_cast<std::size_t>(body.size())});
    proper ? speak() : shut_out();
    return true;
  }

  void tick() override {
    if (id_ != 0) speak();
  }

  void on_disconnect(lt::error_code const& /*why*/) override {
    std::lock_guard const lock{table_->mutex};
    table_->exchange.leave(id_, now());
    table_->listening.erase(id_);
    table_->changed.notify_all();
  }

private:
  bool hear(std::string_view message) {
    std::lock_guard const lock{table_->mutex};
    bool const proper = table_->exchange.receive(id_, message, now());
    table_->changed.notify_all();
    return proper;
  }

  void speak() {
    lt::peer_info info;
    peer_.get_peer_info(info);
    if (info.used_send_buffer > max_unsent) return;
    std::vector<std::string> messages;
    {
      std::lock_guard const lock{table_->mutex};
      messages = table_->exchange.messages_for(id_, now());
    }
    for (auto const& message : messages) send(message);
  }

  void send(std::string const& message) {
    std::string head;
    put_big_endian<std::uint32_t>(head, message.size() + 2);
    head += {extended_message, their_id_};
    peer_.send_buffer(head.data(), static_cast<int>(head.size()));
    peer_.send_buffer(message.data(), static_cast<int>(message.size()));
  }

  void shut_out() {
    auto const address = peer_.remote().address();
    {
      std::lock_guard const lock{table_->mutex};
      if (table_->shut_out.size() >= max_shut_out) table_->shut_out.erase(table_->shut_out.begin());
      table_->shut_out[address] = now() + shut_out_for;
    }
    log_warning("neighbour {} does not keep to the rules or gave what it did not claim to have; shut out for an hour",
                address.to_string());
    hang_up();
  }

  void hang_up() { peer_.disconnect(lt::errors::peer_banned, lt::operation_t::bittorrent); }

  lt::peer_connection_handle peer_;
  std::shared_ptr<Table> table_;
  Exchange::Peer id_ = 0;  ///< from the handshake on
  char their_id_ = 0;      ///< of our extension's messages to them
};

class Conversations final : public lt::torrent_plugin {
public:
  explicit Conversations(std::shared_ptr<Table> table) : table_{std::move(table)} {}

  std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& peer) override {
    return std::make_shared<Conversation>(peer, table_);
  }

private:
  std::shared_ptr<Table> table_;
};

std::optional<exchange::Copy> fetch(Table& table, std::unique_lock<std::mutex>& lock, Exchange::Offer offer,
                                    std::stop_token const& stop) {
  auto const id = table.exchange.fetch(std::move(offer), now());
  table.changed.wait_until(lock, stop, now() + longest_fetch, [&] { return !table.exchange.is_running(id); });
  return table.exchange.end_fetch(id, now());
}

}  // namespace

std::shared_ptr<Table> Rendezvous::make_table() {
  return std::make_shared<Table>();
}

void Rendezvous::apply(flow::SwarmSettings const& settings) {
  configured_.clear();
  for (auto const& neighbour : settings.neighbours) {
    auto const parsed = parse_host_port(neighbour);
    lt::error_code error;
    auto const address = lt::make_address(parsed ? parsed->first : "", error);
    if (!error) configured_.emplace_back(address, parsed->second);
  }
  next_call_ = {};
  bool const other_exchange = std::exchange(peer_exchange_, settings.peer_exchange) != settings.peer_exchange;
  // Peer exchange is fixed when a torrent is added.
  if (handle_.is_valid() && (!settings.documents || other_exchange)) {
    session_.remove_torrent(std::exchange(handle_, {}));
  }
  if (settings.documents && !handle_.is_valid()) {
    lt::add_torrent_params params;
    lt::sha1_hash point;
    std::ranges::copy(torrent::meeting_point().bytes, point.begin());
    params.info_hashes = lt::info_hash_t{point};
    params.save_path = "/nonexistent";  // nothing is ever written
    params.flags = lt::torrent_flags::apply_ip_filter | lt::torrent_flags::override_trackers;
    params.max_connections = max_connections;
    params.extensions.emplace_back([table = table_](lt::torrent_handle const&, lt::client_data_t) {
      return std::make_shared<Conversations>(table);
    });
    if (settings.peer_exchange) params.extensions.emplace_back(&lt::create_ut_pex_plugin);
    params.trackers.assign(trackers_.begin(), trackers_.end());
    handle_ = session_.add_torrent(std::move(params));
    if (!configured_.empty()) {
      std::lock_guard const lock{table_->mutex};
      table_->awaited_until = now() + first_patience;
    }
  }
  add_trackers(settings.trackers);
}

void Rendezvous::add_trackers(std::vector<std::string> const& urls) {
  for (auto const& url : urls) {
    if (trackers_.insert(url).second && handle_.is_valid()) handle_.add_tracker(lt::announce_entry{url});
  }
}

void Rendezvous::tick(Instant now) {
  {
    std::lock_guard const lock{table_->mutex};
    table_->exchange.tick(now);
    table_->changed.notify_all();
  }
  if (!handle_.is_valid() || now < next_call_) return;
  next_call_ = now + call_interval;
  auto const here = hosts();
  for (auto const& neighbour : configured_) {
    if (std::ranges::find(here, neighbour) == here.end()) handle_.connect_peer(neighbour);
  }
}

std::vector<exchange::Topic> Rendezvous::take_news() {
  std::lock_guard const lock{table_->mutex};
  return table_->exchange.take_news();
}

std::vector<lt::tcp::endpoint> Rendezvous::hosts() const {
  std::lock_guard const lock{table_->mutex};
  std::vector<lt::tcp::endpoint> hosts;
  for (auto const& [peer, endpoint] : table_->listening) hosts.push_back(endpoint);
  return hosts;
}

void Rendezvous::give(std::shared_ptr<std::string const> const& torrent_file) {
  std::lock_guard const lock{table_->mutex};
  table_->exchange.give(torrent_file);
}

void Rendezvous::take_back(std::string_view torrent_file) {
  std::lock_guard const lock{table_->mutex};
  table_->exchange.take_back(torrent_file);
}

void Rendezvous::follow(std::vector<exchange::Followed> documents) {
  std::lock_guard const lock{table_->mutex};
  table_->exchange.follow(std::move(documents));
}

std::optional<exchange::Copy> Rendezvous::newer_copy(exchange::Topic const& topic, std::stop_token const& stop) {
  std::unique_lock lock{table_->mutex};
  auto const offer = [&] { return table_->exchange.best_offer(topic, now()); };
  table_->changed.wait_until(lock, stop, table_->awaited_until, [&] { return offer().has_value(); });
  auto best = offer();
  return best ? fetch(*table_, lock, std::move(*best), stop) : std::nullopt;
}

void Rendezvous::pass_over(exchange::Topic const& topic, Sha256 const& digest) {
  std::lock_guard const lock{table_->mutex};
  table_->exchange.pass_over(topic, digest, now());
}

void Rendezvous::refuse(Sha256 const& digest) {
  std::lock_guard const lock{table_->mutex};
  table_->exchange.refuse(digest, now());
}

Result<exchange::Copy> Rendezvous::torrent_file(Sha256 const& digest, ByteCount size, std::stop_token const& stop) {
  std::unique_lock lock{table_->mutex};
  auto offer = table_->exchange.offer_of_all(digest, size);
  auto const asked = offer.from.size();
  auto copy = fetch(*table_, lock, std::move(offer), stop);
  if (copy) return std::move(*copy);
  return fail(Fault::not_found, "none of {} neighbours gave the torrent file", asked);
}

}  // namespace imageswarm::swarm
