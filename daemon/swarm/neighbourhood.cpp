#include "daemon/swarm/neighbourhood.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_info.hpp>

namespace imageswarm::swarm {
namespace {

using Clock = std::chrono::steady_clock;

// Ours in the dictionary of the extension handshake (BEP 10): when a host began, and whether it has the whole image.
constexpr char const* rank_key = "is_rank";
constexpr char const* complete_key = "is_complete";

/// libtorrent dials again after 2 s for every failure in a row: after this many it is 16 s, and not longer, since who
/// has to cross the link later on must not wait.
constexpr int most_failures = 7;

/// One image: on libtorrent's network thread only.
class Gate {
public:
  Gate(std::shared_ptr<Neighbourhood const> neighbourhood, Crossing::Waits waits,
       std::shared_ptr<std::atomic<bool>> open)
      : neighbourhood_{std::move(neighbourhood)},
        rank_{rank_of(std::chrono::system_clock::now())},
        crossing_{rank_, Clock::now(), waits},
        open_{std::move(open)} {
    *open_ = !neighbourhood_->far_copies();
  }

  bool is_far(lt::peer_connection_handle const& peer) const { return neighbourhood_->is_far(peer.remote().address()); }
  bool is_open() const { return *open_; }
  Rank rank() const { return rank_; }
  void fed() { crossing_.fed(Clock::now()); }
  void look(std::vector<Neighbour> const& neighbours) {
    auto const copies = neighbourhood_->far_copies();
    *open_ = complete || !copies || crossing_.allowed(neighbours, *copies, Clock::now());
  }

  bool complete = false;

private:
  std::shared_ptr<Neighbourhood const> neighbourhood_;
  Rank rank_;
  Crossing crossing_;
  std::shared_ptr<std::atomic<bool>> open_;
};

class Peer final : public lt::peer_plugin {
public:
  Peer(lt::peer_connection_handle peer, std::shared_ptr<Gate> gate) : peer_{std::move(peer)}, gate_{std::move(gate)} {}

  void add_handshake(lt::entry& handshake) override {
    handshake[rank_key] = gate_->rank();
    handshake[complete_key] = static_cast<lt::entry::integer_type>(gate_->complete);
  }
  bool on_handshake(lt::span<char const> /*reserved*/) override {
    leave_if_closed();
    return true;
  }
  bool on_extension_handshake(lt::bdecode_node const& handshake) override {
    auto const rank = handshake.dict_find_int_value(rank_key, -1);
    // A source may hide that it is one and have only what it offers: so it says so here.
    if (rank >= 0) neighbour_ = {rank, handshake.dict_find_int_value(complete_key) == 1};
    return true;
  }
  void tick() override { leave_if_closed(); }

  /// Nothing of one that is far, on its way out or not of our kind.
  std::optional<Neighbour> neighbour() const {
    if (!neighbour_ || peer_.is_disconnecting() || gate_->is_far(peer_)) return {};
    return Neighbour{neighbour_->rank, neighbour_->complete || peer_.is_seed()};
  }

private:
  /// Web seeds aside: to those the swarm gives no URL meanwhile, because libtorrent is slow to ask one again.
  void leave_if_closed() {
    if (gate_->is_open() || !gate_->is_far(peer_) || peer_.type() != lt::connection_type::bittorrent) return;
    lt::peer_info info;
    peer_.get_peer_info(info);
    using Connection = lt::peer_connection_interface;
    peer_.disconnect(lt::errors::make_error_code(lt::errors::too_many_connections), lt::operation_t::bittorrent,
                     info.failcount < most_failures ? Connection::failure : Connection::normal);
  }

  lt::peer_connection_handle peer_;
  std::shared_ptr<Gate> gate_;
  std::optional<Neighbour> neighbour_;
};

class Keeper final : public lt::torrent_plugin {
public:
  explicit Keeper(std::shared_ptr<Gate> gate) : gate_{std::move(gate)} {}

  std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& peer) override {
    auto plugin = std::make_shared<Peer>(peer, gate_);
    peers_.push_back(plugin);
    return plugin;
  }
  void on_state(lt::torrent_status::state_t state) override {
    gate_->complete = state == lt::torrent_status::finished || state == lt::torrent_status::seeding;
  }
  /// Bytes of a piece that is wrong in the end feed nobody.
  void on_piece_pass(lt::piece_index_t /*piece*/) override { gate_->fed(); }
  void tick() override {
    std::vector<Neighbour> neighbours;
    std::erase_if(peers_, [](auto const& peer) { return peer.expired(); });
    for (auto const& weak : peers_) {
      auto const peer = weak.lock();
      if (auto const neighbour = peer ? peer->neighbour() : std::nullopt) neighbours.push_back(*neighbour);
    }
    gate_->look(neighbours);
  }

private:
  std::shared_ptr<Gate> gate_;
  std::vector<std::weak_ptr<Peer>> peers_;
};

}  // namespace

void Neighbourhood::set(std::vector<Network> site, std::optional<unsigned> far_copies) {
  std::lock_guard const lock{mutex_};
  site_ = std::move(site);
  far_copies_ = far_copies;
}

bool Neighbourhood::is_far(lt::address const& address) const {
  std::lock_guard const lock{mutex_};
  return !site_.empty() && !holds(site_, address);
}

std::optional<unsigned> Neighbourhood::far_copies() const {
  std::lock_guard const lock{mutex_};
  return far_copies_;
}

Extension keeping_near(std::shared_ptr<Neighbourhood const> neighbourhood, Crossing::Waits waits,
                       std::shared_ptr<std::atomic<bool>> may_cross) {
  return [gate = std::make_shared<Gate>(std::move(neighbourhood), waits, std::move(may_cross))](
             lt::torrent_handle const&, lt::client_data_t) { return std::make_shared<Keeper>(gate); };
}

}  // namespace imageswarm::swarm
