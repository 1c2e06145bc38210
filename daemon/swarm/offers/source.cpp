// All of it runs on libtorrent's network thread; calls through a torrent_handle are carried out at once there.
#include "daemon/swarm/offers/source.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "common/base/big_endian.hpp"
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
  Message bytes;
  put_big_endian<std::uint32_t>(bytes, 1 + 4 * arguments.size());
  bytes.push_back(kind);
  for (int const argument : arguments) put_big_endian<std::uint32_t>(bytes, static_cast<std::uint64_t>(argument));
  return bytes;
}

class Connection;

class Source final : public lt::torrent_plugin, public std::enable_shared_from_this<Source> {
public:
  Source(lt::torrent_handle torrent, Offering offering)
      : torrent_{std::move(torrent)}, offering_{std::move(offering)} {}

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
  /// A peer waits for data now, or no longer.
  void waits(bool now);

  Schedule& schedule() { return *schedule_; }
  int size_of(Piece piece) const {
    return offering_.info->files().piece_size2(lt::piece_index_t{static_cast<int>(piece)});
  }
  Piece pieces() const { return static_cast<Piece>(offering_.info->num_pieces()); }

private:
  void share_slots();

  lt::torrent_handle torrent_;
  Offering offering_;
  std::optional<Schedule> schedule_;  ///< while the torrent is complete
  std::set<Connection*> connections_;
  std::size_t waiting_ = 0;  ///< peers that wait for data
  bool full_ = false, some_are_choked_ = false;
};

/// One peer. It is `gated` if it was never told what we have: then it gets what it is offered.
class Connection final : public lt::peer_plugin {
public:
  Connection(std::shared_ptr<Source> source, lt::peer_connection_handle peer)
      : source_{std::move(source)}, peer_{std::move(peer)} {}
  ~Connection() override { source_->forget(this); }

  bool gated() const { return gated_; }
  bool waiting() const { return bytes_awaited_ > 0; }
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
  /// Who has nothing and not the fast extension may come without a bitfield.
  bool on_interested() override { return ready_ || peer_.is_seed() ? false : join(); }
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
      if (!peer_.is_choked()) await(request.length);  // else it is refused
      return false;
    }
    send(message(reject, {static_cast<int>(request.piece), request.start, request.length}));
    return true;
  }
  void sent_piece(lt::peer_request const& block) override {
    if (member) sending_.push_back({static_cast<Piece>(static_cast<int>(block.piece)), block.length});
  }
  void sent_payload(int bytes) override;
  bool on_not_interested() override {
    await(-bytes_awaited_);  // it is choked now, and its requests are dropped
    return false;
  }
  bool on_cancel(lt::peer_request const& request) override {
    await(-request.length);
    return false;
  }
  /// libtorrent may have dropped what was asked for, without a word.
  void recount() {
    lt::peer_info info;
    peer_.get_peer_info(info);
    if (info.upload_queue_length == 0 && info.pending_disk_read_bytes == 0 && info.used_send_buffer == 0)
      await(-bytes_awaited_);
  }
  void on_disconnect(lt::error_code const& /*why*/) override {
    if (gated_) source_->show();
    leave();
    await(-bytes_awaited_);
  }

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
  void await(int more) {
    bool const before = waiting();
    bytes_awaited_ = std::max(0, bytes_awaited_ + more);
    if (waiting() != before) source_->waits(waiting());
  }

  struct Block {
    Piece piece;
    int left;
  };
  std::shared_ptr<Source> source_;
  lt::peer_connection_handle peer_;
  bool gated_ = false, ready_ = false;
  int bytes_awaited_ = 0;      ///< asked for and not yet written to the socket
  std::deque<Block> sending_;  ///< blocks in the send buffer, oldest first
  std::map<Piece, int> sent_;  ///< bytes, of pieces that are not all sent
};

void Connection::sent_payload(int bytes) {
  await(-bytes);
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
    schedule_.emplace(pieces(), offering_.from_the_start ? 0 : std::random_device{}() % pieces());
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
  torrent_.set_max_connections(schedule_ ? -1 : neighbours);
}

void Source::join(Connection& connection) {
  if (!schedule_ || connection.member) return;
  connection.member = schedule_->join(connection.gated());
  offer();
}

void Source::leave(Connection& connection) {
  if (schedule_ && connection.member) schedule_->leave(*connection.member);
  connection.member.reset();
  if (schedule_) offer();
}

/// Twice as many have offers as get data: half of the offers are on their way.
void Source::offer() {
  while (auto const offer = schedule_->next(Clock::now(), std::size_t{2} * offering_.slots->while_seeding)) {
    for (auto* connection : connections_) {
      if (connection->member == offer->peer) connection->send(message(have, {static_cast<int>(offer->piece)}));
    }
  }
}

void Source::waits(bool now) {
  if (now) {
    ++waiting_;
  } else {
    --waiting_;
  }
  share_slots();
}

/// Slots count the peers that wait for data. While there are enough of these, the others are choked; those that are
/// offered pieces are not, as the schedule serves no more at a time. libtorrent's own slots would stay with the peers
/// that asked first, whether they use them or not.
void Source::share_slots() {
  std::size_t const slots = schedule_ ? offering_.slots->while_seeding : offering_.slots->while_downloading;
  bool const full = waiting_ >= slots;
  if (full ? full_ : !some_are_choked_) return;
  full_ = some_are_choked_ = full;
  std::vector<lt::peer_connection_handle> choked;
  for (auto* connection : connections_) {
    auto peer = connection->peer();
    if (!connection->ready() || connection->gated() || connection->waiting()) continue;
    if (full) {
      peer.choke_this_peer();
    } else if (peer.is_choked() && peer.is_peer_interested()) {
      choked.push_back(peer);
    }
  }
  auto const next = std::min(choked.size(), slots - std::min(slots, waiting_));
  auto const end = choked.begin() + static_cast<std::ptrdiff_t>(next);
  std::partial_sort(choked.begin(), end, choked.end(), [](auto const& one, auto const& other) {
    return one.time_of_last_unchoke() < other.time_of_last_unchoke();
  });
  for (auto peer = choked.begin(); peer != end; ++peer) peer->maybe_unchoke_this_peer();
  some_are_choked_ = full || next < choked.size();
}

void Source::tick() {
  show();  // in case a connection ended before it was told
  for (auto* connection : connections_) {
    if (connection->waiting()) connection->recount();
  }
  full_ = false;  // libtorrent unchokes who becomes interested
  share_slots();
  if (schedule_) offer();
}

}  // namespace

Extension offering(Offering offering) {
  return [offering = std::move(offering)](lt::torrent_handle const& torrent, lt::client_data_t) {
    return std::make_shared<Source>(torrent, offering);
  };
}

}  // namespace imageswarm::swarm
