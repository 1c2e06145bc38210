#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/control/control.hpp"
#include "daemon/coordinator/anchor_watch.hpp"
#include "daemon/coordinator/deployments.hpp"
#include "daemon/coordinator/documents.hpp"
#include "daemon/coordinator/hook_runs.hpp"
#include "daemon/coordinator/images.hpp"
#include "daemon/coordinator/timekeeper.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/state/board.hpp"
#include "daemon/state/state.hpp"
#include "daemon/swarm/transfer.hpp"

namespace imageswarm::coordinator {

/// The one that knows the order of the stages: documents → plan → images, round after round. Lives on the loop thread
/// and is the single writer of state.
class Coordinator final : public control::Commands {
public:
  struct Surroundings {
    boost::asio::io_context& loop;
    Workers& workers;
    // Pools of their own, for a recall may wait neither behind images nor behind slow catalogues, neither when it is
    // learnt nor when it is carried out.
    Workers& document_workers;
    Workers& urgent_workers;
    Workers& ahead_workers;
    Workers& retirement_workers;
    Workers& hook_workers;  ///< one thread for each hook
    Workers& deployment_worker;
    state::State& state;
    swarm::Transfers& swarm;
    exchange::Neighbours& neighbours;
    std::function<ClockReading()> read_clocks;
  };

  explicit Coordinator(Surroundings surroundings);

  /// Starts with these settings, or goes over to them without breaking transfers. Faults: state-….
  [[nodiscard]] Result<> configure(flow::Settings const& settings, std::vector<std::shared_ptr<sinks::Sink>> sinks);
  void on_swarm_event(swarm::Event const& event);
  /// `done` is called once: as soon as everything selected is in its sinks, or nothing more is to be expected.
  void when_settled(std::function<void()> done);

  /// How a round ended, as an exit status (docs/operations.md): 0, 3 or 4.
  int verdict() const;
  /// One line for the journal and systemd: "3 images active, 1 fetching".
  std::string summary() const;

  state::Board const& board() override;
  void refresh() override;
  void pause(bool paused) override;
  [[nodiscard]] Result<> confirm(std::string const& document) override;
  void limit(flow::HostRates const& rates) override;
  [[nodiscard]] Result<> deploy(std::string const& grid, bool only_show) override;
  std::vector<control::PeerRow> peers(Uuid const& image_id) const override;

private:
  void count(Fault fault);
  void replan();
  void look_at_clock();
  void carry_out_plan();
  selection::Input input_with(std::vector<selection::Source<document::Catalogue>> catalogues) const;
  std::vector<selection::Keeper> keepers() const;
  std::optional<Error> hold_back(Subscription const& source, Document const& version) const;
  void watch_anchors();
  void schedule_tick();
  void look_whether_settled();

  Surroundings around_;
  flow::Settings settings_;
  state::Board board_;
  Timekeeper clock_;
  hooks::Queue hooks_;
  HookRuns hook_runs_;
  Images images_;
  Deployments deployments_;
  Documents documents_;
  AnchorWatch anchor_watch_;
  boost::asio::steady_timer ticker_;
  std::function<void()> when_settled_;
  bool loaded_ = false;
  bool held_ = false;  ///< for the clock: no document is accepted and no plan made
};

}  // namespace imageswarm::coordinator
