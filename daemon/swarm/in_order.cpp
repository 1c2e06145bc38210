#include "daemon/swarm/in_order.hpp"

#include <algorithm>
#include <libtorrent/extensions.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <utility>

namespace imageswarm::swarm {
namespace {

class InOrder final : public lt::torrent_plugin {
public:
  InOrder(std::shared_ptr<flow::Arrival> arrival, ByteCount piece, ByteCount whole, std::vector<bool> here)
      : arrival_{std::move(arrival)}, piece_{piece}, whole_{whole}, here_{std::move(here)} {
    tell();
  }
  InOrder(InOrder const&) = delete;
  InOrder& operator=(InOrder const&) = delete;
  ~InOrder() override { arrival_->close(); }

  void on_piece_pass(lt::piece_index_t piece) override {
    here_[static_cast<std::size_t>(static_cast<int>(piece))] = true;
    tell();
  }

private:
  void tell() {
    while (next_ < here_.size() && here_[next_]) ++next_;
    arrival_->reached(std::min(ByteCount{next_ * piece_.value}, whole_));
  }

  std::shared_ptr<flow::Arrival> arrival_;
  ByteCount piece_, whole_;
  std::vector<bool> here_;  ///< by piece
  std::size_t next_ = 0;    ///< the first that is missing
};

}  // namespace

Extension telling_order(std::shared_ptr<flow::Arrival> const& arrival, lt::torrent_info const& info,
                        std::vector<bool> here) {
  here.resize(static_cast<std::size_t>(info.num_pieces()));
  ByteCount const piece{static_cast<std::uint64_t>(info.piece_length())};
  ByteCount const whole{static_cast<std::uint64_t>(info.files().file_size(lt::file_index_t{0}))};
  return [=](lt::torrent_handle const&, lt::client_data_t) {
    return std::make_shared<InOrder>(arrival, piece, whole, here);
  };
}

}  // namespace imageswarm::swarm
