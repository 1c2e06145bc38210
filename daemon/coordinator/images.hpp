#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "common/base/clock.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/exchange/neighbours.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/hooks/queue.hpp"
#include "daemon/selection/select.hpp"
#include "daemon/sinks/sink.hpp"
#include "daemon/state/board.hpp"
#include "daemon/state/state.hpp"
#include "daemon/swarm/transfer.hpp"

namespace imageswarm::coordinator {

/// An image that something can be made of: selected, whole and verified.
struct Derivable {
  flow::Want want;
  std::filesystem::path artefact;
};

/// The images of this host, each moved one step at a time towards what the plan wants (transitions.hpp). Lives on the
/// loop thread; what blocks are jobs on the pool, at most one for an image at a time.
class Images {
public:
  struct Surroundings {
    boost::asio::io_context& loop;
    Workers& workers;
    Workers& ahead_workers;       ///< wait for what arrives, and work on it
    Workers& retirement_workers;  ///< taking out of use waits behind nothing that comes
    state::State& state;
    swarm::Transfers& swarm;
    exchange::Neighbours& neighbours;
    Clock const& clock;
    std::function<void(Fault)> said;  ///< counts a fault that was logged
    std::function<void()> arrived;    ///< an image is in a sink: older versions may go
    hooks::Queue& hooks;              ///< are told what happens
  };

  explicit Images(Surroundings surroundings);
  ~Images();

  /// What earlier runs left: held artefacts, receipts and departures. Faults: state-….
  [[nodiscard]] Result<> load();
  void configure(flow::StoreSettings const& store, std::vector<std::shared_ptr<sinks::Sink>> sinks);
  /// What earlier runs left unsaid.
  void announce_departures();
  /// `everything_known`: every catalogue is there and trusted, so what is in none of them may be cleared away.
  void carry_out(selection::Plan plan, bool everything_known);
  void on_swarm_event(swarm::Event const& event);
  /// Takes up what waited for its time. Call it about once a second while `busy`, seldom otherwise.
  void tick();
  /// Takes over the figures that the swarm has, and asks it for fresh ones.
  void read_transfers();
  void pause(bool paused);

  /// Fault not-found: it may not be used here, or is not in the store.
  [[nodiscard]] Result<Derivable> derivable(Uuid const& image_id) const;
  /// Before what was made of an image (Want::derived_from) is put anywhere; and after. From then on it goes with the
  /// image. Faults: state-corrupt, disk-….
  [[nodiscard]] Result<> hold_derived(flow::Want const& want);
  [[nodiscard]] Result<> record_derived(flow::Want const& want, flow::Receipt receipt);
  std::vector<std::shared_ptr<sinks::Sink>> const& sinks() const;

  /// Everything of which something is here, whole or not; what was made of it is not counted.
  std::vector<selection::Held> held() const;
  /// What had to go.
  std::vector<selection::Departed> departed() const;
  std::set<Uuid> active() const;  ///< in all sinks that want them
  std::set<Uuid> present_in(std::string_view sink) const;
  std::vector<flow::Receipt> receipts() const;
  /// What had to go, but for superseded versions; the last one first.
  std::vector<state::Departure> departures() const;
  std::vector<state::ImageStatus> statuses() const;

  /// Is anything under way, or waiting for another try?
  bool busy() const;
  /// Is every selected image in all its sinks?
  bool all_active() const;
  /// Has every selected image either arrived or failed in a way that another try would not mend soon?
  bool settled() const;
  std::size_t selected() const;

private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace imageswarm::coordinator
