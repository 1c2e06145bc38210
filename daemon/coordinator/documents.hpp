#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/trust/verify.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/selection/select.hpp"
#include "daemon/state/board.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::coordinator {

/// The subscriptions of this host: refreshes them in their time, has every document verified, and keeps the last good
/// one whatever is offered next. Lives on the loop thread; fetching and verifying are jobs on the pool.
class Documents {
public:
  /// `changed` is called after every answer of a source, accepted or not, once all documents of earlier runs are
  /// verified. `said` counts a fault that was logged.
  Documents(boost::asio::io_context& loop, Workers& workers, state::State& state, Clock const& clock,
            std::function<void()> changed, std::function<void(Fault)> said);
  ~Documents();

  /// Takes these subscriptions in the place of the present ones. What goes on unchanged keeps its document; what is new
  /// is loaded from state and verified again, then refreshed at once.
  [[nodiscard]] Result<> configure(std::vector<flow::SubscriptionSettings> const& subscriptions,
                                   trust::AnchorPolicy const& anchors);
  void refresh_now();

  /// Has every subscription had its first answer since it was configured?
  bool settled() const;
  /// Does any subscription give trust at the moment?
  bool any_trusted() const;
  /// Do all of them?
  bool all_trusted() const;
  /// Was the last answer of some source refused, or an entry in it, or did it not answer?
  bool any_refused() const;

  std::vector<selection::Source<document::Catalogue>> catalogues() const;
  std::vector<selection::Source<document::ApprovalList>> approvals() const;
  std::vector<state::SubscriptionStatus> statuses() const;

private:
  struct Subscription;
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
};

}  // namespace imageswarm::coordinator
