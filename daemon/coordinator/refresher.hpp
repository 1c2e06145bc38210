#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/trust/verify.hpp"
#include "daemon/coordinator/judge.hpp"
#include "daemon/coordinator/subscription.hpp"
#include "daemon/coordinator/timekeeper.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::coordinator {

/// The jobs of following a source: each is started on the loop, fetches and verifies on the pool, and ends on the loop
/// with what it brought: accepted into state, or refused and said once.
class Refresher : public std::enable_shared_from_this<Refresher> {
public:
  struct Surroundings {
    boost::asio::io_context& loop;
    Workers& workers;
    Workers& urgent_workers;  ///< for approval lists and for verifying again: no slow catalogue puts off a recall
    state::State& state;
    Timekeeper& clock;
    exchange::Neighbours& neighbours;
    std::function<void()> changed;  ///< after every answer, once all documents of earlier runs are verified
    /// Why this new version shall wait for the operator, or nothing.
    std::function<std::optional<Error>(Subscription const&, Document const&)> hold_back;
    std::function<void(Fault)> said;  ///< counts a fault that was logged
  };

  explicit Refresher(Surroundings surroundings) : around_{std::move(surroundings)} {}

  /// By these anchors documents are verified from now on; where they are others, `sources` too.
  void trust(trust::AnchorPolicy anchors, std::vector<std::shared_ptr<Subscription>> const& sources);
  /// All who may sign anything that is followed.
  void know(std::vector<trust::SignerPattern> signers);
  /// Are documents of earlier runs still being verified, or sources awaited whose signer was replaced?
  bool loading() const { return loading_ > 0; }
  /// A plan need not wait for this source any more.
  void end_await(Subscription& source);
  /// Calls `changed` from the loop.
  void tell_soon();
  /// The document of an earlier run: verified again before it counts. Then the source is refreshed.
  void load(std::shared_ptr<Subscription> const& source, std::string bytes);
  /// Asks the source now, or as soon as the job under way is done; from then on by its schedule.
  void refresh(std::shared_ptr<Subscription> const& source);
  /// Asks the neighbours, one of which claims to have something newer, and not the source: whatever neighbours say, no
  /// source is asked more often for it.
  void look_around(std::shared_ptr<Subscription> const& source);
  /// The anchors have other content now: what is in use is verified again at once.
  void judge_again(std::vector<std::shared_ptr<Subscription>> const& sources);
  /// The operator wants what was held back. Faults: state-…, disk-…, those of the clock; then it stays held back.
  [[nodiscard]] Result<> accept_held_back(Subscription& source);

private:
  [[nodiscard]] Result<Judge> judge_for(Subscription const& source) const;
  Workers& workers_for(Subscription const& source);
  void verify_again(std::shared_ptr<Subscription> const& source, std::function<void()> then);
  void take(Subscription& source, Outcome outcome);
  void take_old(Subscription& source, Result<Document> verdict);
  void put_in_use(Subscription& source, Document document);
  void take_offer(Subscription& source, Outcome& outcome);
  void take_neighbours_offer(Subscription& source, NeighboursOffer offer);
  bool adopt(Subscription& source, Offered version);
  [[nodiscard]] Result<> accept(Subscription& source, Offered version);
  void say_accepted(Subscription const& source, Document const& before);
  void say_freeze(Subscription& source);
  void say_refused(Subscription const& source, std::vector<document::RefusedEntry> const& entries);
  void refuse(Subscription& source, Error error, std::string_view what);
  void note_old_fault(Subscription& source, Error const& fault);
  void keep_evidence(Subscription const& source, std::string_view bytes);
  void give_up(std::shared_ptr<Subscription> const& source, Error error);
  void await_answer(Subscription& source);
  void schedule_next(std::shared_ptr<Subscription> const& source);
  void tell();

  Surroundings around_;
  trust::AnchorPolicy anchors_;
  std::shared_ptr<std::vector<trust::SignerPattern> const> known_signers_;
  std::uint64_t anchors_version_ = 0;  ///< a verdict by an older one is dropped
  unsigned loading_ = 0;               ///< what there is no plan before
};

}  // namespace imageswarm::coordinator
