#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/exchange/neighbours.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/swarm/crossing.hpp"
#include "daemon/swarm/transfer.hpp"

namespace imageswarm::swarm {

/// How long a transfer waits before something else is tried; other values are for tests.
struct Patience {
  std::chrono::milliseconds web_seeds{5'000};  ///< without a byte from peers, until web seeds are asked
  std::chrono::milliseconds stalled{60'000};   ///< without a byte from anybody, until it counts as stalled
  Crossing::Waits crossing{};                  ///< for neighbours, where `far-copies` limits who fetches from afar
};

/// libtorrent behind a wall: fetches and seeds artefacts within the host's budgets (docs/design.md, "The swarm").
class Swarm final : public Transfers {
public:
  using Listener = std::function<void(Event)>;

  /// Opens the listen socket. Fault: swarm-listen, config-value.
  [[nodiscard]] static Result<std::unique_ptr<Swarm>> open(flow::SwarmSettings const& settings, Listener listener,
                                                           Patience patience = {});
  ~Swarm() override;  ///< saves what is to be saved and says good-bye to the trackers; takes at most 3 s

  Swarm(Swarm const&) = delete;
  Swarm& operator=(Swarm const&) = delete;

  Result<> add(Transfer transfer) override;
  void remove(Uuid const& image_id) override;
  void restart(Uuid const& image_id) override;
  void set_rates(flow::HostRates const& rates) override;
  void resume_after_disk_full() override;
  void request_statuses() override;
  std::vector<TransferStatus> statuses() const override;
  std::vector<PeerStatus> peers(Uuid const& image_id) const override;

  /// Everything of the settings that can change without a restart: all but `listen` and `ssl_port`.
  [[nodiscard]] Result<> apply(flow::SwarmSettings const& settings);
  std::uint16_t port() const;      ///< that it listens on
  std::uint16_t ssl_port() const;  ///< the same for private images; 0 without `swarm.ssl`
  /// Other hosts, as sources of documents; lives as long as the swarm.
  exchange::Neighbours& neighbours();

private:
  struct Impl;
  explicit Swarm(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imageswarm::swarm
