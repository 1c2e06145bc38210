#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/trust/verify.hpp"
#include "daemon/coordinator/refresher.hpp"
#include "daemon/coordinator/subscription.hpp"
#include "daemon/coordinator/timekeeper.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/selection/select.hpp"
#include "daemon/state/board.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::coordinator {

/// The subscriptions of this host: refreshes them in their time, has every document verified, and keeps the last good
/// one whatever is offered next. Lives on the loop thread; fetching and verifying are jobs on the pool (Refresher).
class Documents {
public:
  explicit Documents(Refresher::Surroundings surroundings);
  ~Documents();

  /// Takes these subscriptions in the place of the present ones, and has all of them refreshed at once.
  [[nodiscard]] Result<> configure(std::vector<flow::SubscriptionSettings> const& subscriptions,
                                   trust::AnchorPolicy const& anchors);
  void refresh_now();
  /// A neighbour claims to have something newer of these documents.
  void look_around(std::vector<exchange::Topic> const& topics);
  /// To be called when the anchors have changed on disk.
  void judge_again();

  /// Is something still to be verified, or asked for, without which there is no plan?
  bool loading() const;
  /// Has every subscription had its first answer since it was configured?
  bool settled() const;
  /// Does any subscription give trust at the moment?
  bool any_trusted() const;
  /// Do all of them?
  bool all_trusted() const;
  /// Was the last answer of some source refused, or an entry in it, or did it not answer?
  bool any_refused() const;

  /// Accepts at once what is held back of the document with this name, or of this URL. Faults: not-found (nothing is),
  /// usage (several are), and why it could not be kept.
  [[nodiscard]] Result<> confirm(std::string_view document);
  /// Is every endorser list at hand that may have named somebody, so that nobody can be named but those whose
  /// catalogues are followed?
  bool endorsers_known() const;

  std::vector<selection::Source<document::Catalogue>> catalogues() const;
  /// As they would be with this new version of one source.
  std::vector<selection::Source<document::Catalogue>> catalogues_with(Subscription const& source,
                                                                      Document const& version) const;
  std::vector<selection::Source<document::ApprovalList>> approvals() const;
  std::vector<state::SubscriptionStatus> statuses() const;

private:
  using EndorserLists = std::vector<std::shared_ptr<trust::VerifiedEndorserList const>>;
  EndorserLists lists_at_hand() const;
  /// Follows what is configured, and what the endorser lists at hand name.
  [[nodiscard]] Result<> follow_all();
  /// Follows other catalogues if an endorser list has changed, and then tells what has changed.
  void on_answer();
  void tell_neighbours();
  void say_left_out(std::vector<std::string> lines);
  /// What goes on unchanged keeps its document and its schedule; what is new is loaded from state and verified again,
  /// then refreshed.
  [[nodiscard]] Result<> follow(std::vector<flow::SubscriptionSettings> const& subscriptions);

  boost::asio::io_context& loop_;
  state::State& state_;
  Timekeeper const& clock_;
  exchange::Neighbours& neighbours_;
  std::function<void()> changed_;
  std::shared_ptr<Refresher> refresher_;
  std::vector<flow::SubscriptionSettings> configured_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  EndorserLists lists_followed_;       ///< as they were when `follow_all` looked last
  bool all_followed_ = true;           ///< everything that endorser lists name
  std::vector<std::string> left_out_;  ///< said already
};

}  // namespace imageswarm::coordinator
