#include "daemon/swarm/counters.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>

namespace imageswarm::swarm {
namespace {

class PeerCounter final : public lt::peer_plugin {
public:
  PeerCounter(std::shared_ptr<Counters> counters, bool web_seed)
      : counters_{std::move(counters)}, received_{web_seed ? counters_->from_web_seeds : counters_->from_peers} {}

  bool on_piece(lt::peer_request const& /*piece*/, lt::span<char const> data) override {
    received_ += static_cast<std::uint64_t>(data.size());
    return false;  // not for us: libtorrent goes on
  }
  void sent_payload(int bytes) override { counters_->uploaded += static_cast<std::uint64_t>(bytes); }

private:
  std::shared_ptr<Counters> counters_;
  std::atomic<std::uint64_t>& received_;
};

class TorrentCounter final : public lt::torrent_plugin {
public:
  explicit TorrentCounter(std::shared_ptr<Counters> counters) : counters_{std::move(counters)} {}

  std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& peer) override {
    return std::make_shared<PeerCounter>(counters_, peer.type() != lt::connection_type::bittorrent);
  }

private:
  std::shared_ptr<Counters> counters_;
};

}  // namespace

Extension counting(std::shared_ptr<Counters> counters) {
  return [counters = std::move(counters)](lt::torrent_handle const&, lt::client_data_t) {
    return std::make_shared<TorrentCounter>(counters);
  };
}

}  // namespace imageswarm::swarm
