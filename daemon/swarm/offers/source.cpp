// All of it runs on libtorrent's network thread; calls through a torrent_handle are carried out at once there.
#include "daemon/swarm/offers/source.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "daemon/swarm/offers/schedule.hpp"

namespace imageswarm::swarm {
namespace {

using Clock = std::chrono::steady_clock;
using Piece = Schedule::Piece;
using Message = std::vector<char>;

/// In the extension handshake (BEP 10): whoever says so has everything, whatever its HAVE messages say.
constexpr char const* source_key = "imageswarm_source";

// Messages of BEP 3 and BEP 6.
constexpr char have = 4, have_all = 0x0e, reject = 0x10;
constexpr unsigned fast_extension = 0x04;  // in the last of the reserved bytes

/// While downloading. With more, a large swarm spends its links and CPUs on telling each other of pieces.
constexpr int neighbours = 16;

Message message(char kind, std::initializer_list<int> arguments) {
  Message bytes{0, 0, 0, static_cast<char>(1 + 4 * arguments.size()), kind};
  for (int const argument : arguments) {
    for (int const shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(argument >> shift));
  }
  return bytes;
}

class Connection;

class Source final : public lt::torrent_plugin, public std::enable_shared_from_this<Source> {
public:
  Source(lt::torrent_handle torrent, std::shared_ptr<lt::torrent_info const> info, std::shared_ptr<Slots const> slots)
      : torrent_{std::move(torrent)}, info_{std::move(info)}, slots_{std::move(slots)} {}

  std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& peer) override;
  void on_state(lt::torrent_status::state_t state) override;
  void tick() override;

  bool complete() const { return schedule_.has_value(); }
  /// While it is hidden, a bitfield says that we have nothing, and no handshake that we only upload.
  void hide() { torrent_.set_flags(lt::torrent_flags::super_seeding); }
  void show() { torrent_.unset_flags(lt::torrent_flags::super_seeding); }
  void join(Connection& connection);
  void leave(Connection& connection);
  void offer();
  void forget(Connection* connection) { connections_.erase(connection); }

  Schedule& schedule() { return *schedule_; }
  int size_of(Piece piece) const { return info_->files().piece_size2(lt::piece_index_t{static_cast<int>(piece)}); }
  Piece pieces() const { return static_cast<Piece>(info_->num_pieces()); }

private:
  void set_slots();

  lt::torrent_handle torrent_;
  std::shared_ptr<lt::torrent_info const> info_;
  std::shared_ptr<Slots const> slots_;
  std::optional<Schedule> schedule_;  ///< while the torrent is complete
  std::set<Connection*> connections_;
  std::optional<int> slots_set_;
};

/// One peer. It is `gated` if it was never told what we have: then it gets what it is offered.
class Connection final : public lt::peer_plugin {
public:
  Connection(std::shared_ptr<Source> source, lt::peer_connection_handle peer)
      : source_{std::move(source)}, peer_{std::move(peer)} {}
  ~Connection() override { source_->forget(this); }

  bool gated() const { return gated_; }
  bool ready() const { return ready_ && !peer_.is_disconnecting(); }
  lt::peer_connection_handle const& peer() const { return peer_; }
  std::optional<Schedule::Peer> member;  ///< in the schedule
  void send(Message const& bytes) { peer_.send_buffer(bytes.data(), static_cast<int>(bytes.size())); }

  bool on_handshake(lt::span<char const> reserved) override {
    gated_ = source_->complete() && (static_cast<unsigned char>(reserved[7]) & fast_extension) != 0;
    if (gated_) source_->hide();
    return true;
  }
  void add_handshake(lt::entry& handshake) override {
    if (gated_) handshake[source_key] = 1;
  }
  void sent_have_none() override {
    if (gated_) source_->show();
  }
  bool on_extension_handshake(lt::bdecode_node const& handshake) override {
    // Two sources that hide from each other: libtorrent closes the connection once it knows.
    if (gated_ && handshake.dict_find_int_value(source_key) == 1) {
      gated_ = false;
      leave();
      send(message(have_all, {}));
    }
    return true;
  }

  bool on_have_none() override { return join(); }
  bool on_have_all() override { return leave(); }
  bool on_bitfield(lt::bitfield const& pieces) override {
    join();
    for (int piece = 0; piece < pieces.size(); ++piece) {
      if (pieces.get_bit(piece)) announced(piece);
    }
    if (member) source_->offer();  // what it was offered as it joined it may have
    return false;
  }
  bool on_have(lt::piece_index_t piece) override {
    announced(static_cast<int>(piece));
    return false;
  }

  bool on_request(lt::peer_request const& request) override {
    if (!gated_ || !member ||
        source_->schedule().offered(*member, static_cast<Piece>(static_cast<int>(request.piece)))) {
      return false;
    }
    send(message(reject, {static_cast<int>(request.piece), request.start, request.length}));
    return true;
  }
  void sent_piece(lt::peer_request const& block) override {
    if (member) sending_.push_back({static_cast<Piece>(static_cast<int>(block.piece)), block.length});
  }
  void sent_payload(int bytes) override;
  void on_disconnect(lt::error_code const& /*why*/) override { leave(); }

private:
  bool join() {
    ready_ = true;
    source_->join(*this);
    return false;
  }
  bool leave() {
    source_->leave(*this);
    return false;
  }
  void announced(int piece) {
    if (member) source_->schedule().announced(*member, static_cast<Piece>(piece));
  }

  struct Block {
    Piece piece;
    int left;
  };
  std::shared_ptr<Source> source_;
  lt::peer_connection_handle peer_;
  bool gated_ = false, ready_ = false;
  std::deque<Block> sending_;  ///< blocks in the send buffer, oldest first
  std::map<Piece, int> sent_;  ///< bytes, of pieces that are not all sent
};

void Connection::sent_payload(int bytes) {
  if (!member) return;
  auto const now = Clock::now();
  while (bytes > 0 && !sending_.empty()) {
    auto& block = sending_.front();
    auto const part = std::min(bytes, block.left);
    bytes -= part;
    block.left -= part;
    auto const piece = block.piece;
    if (block.left == 0) sending_.pop_front();
    auto& sent = sent_[piece];
    sent += part;
    if (sent < source_->size_of(piece)) {
      source_->schedule().progressed(*member, piece, now);
    } else {
      source_->schedule().taken(*member, piece, now);
      sent_.erase(piece);
    }
  }
  source_->offer();
}

std::shared_ptr<lt::peer_plugin> Source::new_connection(lt::peer_connection_handle const& peer) {
  if (peer.type() != lt::connection_type::bittorrent) return {};
  auto connection = std::make_shared<Connection>(shared_from_this(), peer);
  connections_.insert(connection.get());
  return connection;
}

void Source::on_state(lt::torrent_status::state_t state) {
  if (state != lt::torrent_status::seeding) {
    schedule_.reset();
    for (auto* connection : connections_) connection->member.reset();
  } else if (!schedule_) {
    // Sources that begin at different pieces have little in common until they hear of each other's.
    schedule_.emplace(pieces(), std::random_device{}() % pieces());
    for (auto* connection : connections_) {
      if (!connection->ready()) continue;
      join(*connection);
      for (Piece piece = 0; piece < pieces(); ++piece) {
        if (connection->peer().has_piece(lt::piece_index_t{static_cast<int>(piece)})) {
          schedule_->announced(*connection->member, piece);
        }
      }
    }
  }
  set_slots();
}

void Source::join(Connection& connection) {
  if (!schedule_ || connection.member) return;
  connection.member = schedule_->join(connection.gated());
  set_slots();
  offer();
}

void Source::leave(Connection& connection) {
  if (schedule_ && connection.member) schedule_->leave(*connection.member);
  connection.member.reset();
  set_slots();
  if (schedule_) offer();
}

void Source::offer() {
  while (auto const offer = schedule_->next(Clock::now(), slots_->while_seeding)) {
    for (auto* connection : connections_) {
      if (connection->member == offer->peer) connection->send(message(have, {static_cast<int>(offer->piece)}));
    }
  }
}

/// The schedule serves no more than that many at a time. Whoever is not gated asks for whatever it likes, so then
/// libtorrent's own slots see to it.
void Source::set_slots() {
  bool const open = std::any_of(connections_.begin(), connections_.end(),
                                [](auto const* connection) { return connection->member && !connection->gated(); });
  int const wanted = !schedule_ ? static_cast<int>(slots_->while_downloading.load())
                     : open     ? static_cast<int>(slots_->while_seeding.load())
                                : -1;
  if (slots_set_ == wanted) return;
  slots_set_ = wanted;
  torrent_.set_max_uploads(wanted);
  torrent_.set_max_connections(schedule_ ? -1 : neighbours);
}

void Source::tick() {
  show();  // in case a connection ended before it was told
  set_slots();
  if (schedule_) offer();
}

}  // namespace

Extension offering(std::shared_ptr<lt::torrent_info const> info, std::shared_ptr<Slots const> slots) {
  return [info = std::move(info), slots = std::move(slots)](lt::torrent_handle const& torrent, lt::client_data_t) {
    return std::make_shared<Source>(torrent, info, slots);
  };
}

}  // namespace imageswarm::swarm
