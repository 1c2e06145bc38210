#pragma once

#include <chrono>
#include <libtorrent/session.hpp>
#include <libtorrent/socket.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/exchange/neighbours.hpp"
#include "daemon/flow/settings.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// Where hosts meet to give each other documents and torrent files: a torrent that everybody knows and that has neither
/// metadata nor content. Its peers are found like those of any torrent, beside them those of `swarm.neighbours`; what
/// they say to each other (daemon/exchange) travels as an extension message of BEP 10.
///
/// What Neighbours declares may be called from any thread, the rest under the lock of the swarm; libtorrent's network
/// thread hears and answers.
class Rendezvous final : public exchange::Neighbours {
public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit Rendezvous(lt::session& session) : session_{session} {}

  /// Opens or closes it, and takes these neighbours and trackers.
  void apply(flow::SwarmSettings const& settings);
  /// Hosts are looked for there as well, until the next start.
  void add_trackers(std::vector<std::string> const& urls);
  bool is(lt::torrent_handle const& handle) const { return handle == handle_; }
  /// To be called once a second.
  void tick(Instant now);
  /// Documents of which a neighbour has claimed something newer since the last call.
  std::vector<exchange::Topic> take_news();
  /// The neighbours that are there, by where they listen.
  std::vector<lt::tcp::endpoint> hosts() const;

  /// A torrent file to be given out.
  void give(std::shared_ptr<std::string const> const& torrent_file);
  void take_back(std::string_view torrent_file);

  void follow(std::vector<exchange::Followed> documents) override;
  std::optional<exchange::Copy> newer_copy(exchange::Topic const& topic, std::stop_token const& stop) override;
  void pass_over(exchange::Topic const& topic, Sha256 const& digest) override;
  void refuse(Sha256 const& digest) override;
  Result<exchange::Copy> torrent_file(Sha256 const& digest, ByteCount size, std::stop_token const& stop) override;

  struct Table;  ///< what is shared with libtorrent's network thread

private:
  lt::session& session_;
  lt::torrent_handle handle_;
  std::vector<lt::tcp::endpoint> configured_;
  std::set<std::string> trackers_;
  bool peer_exchange_ = false;  ///< of `handle_`
  Instant next_call_;
  std::shared_ptr<Table> table_ = make_table();
  static std::shared_ptr<Table> make_table();
};

}  // namespace imageswarm::swarm
