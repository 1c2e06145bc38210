#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "daemon/coordinator/document.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/selection/select.hpp"
#include "daemon/state/board.hpp"
#include "daemon/subscription/schedule.hpp"

namespace imageswarm::coordinator {

/// Does this fault end the trust in what was accepted earlier (docs/operations.md, "What ends trust")?
bool ends_trust(Fault fault);

/// A version that passed every check.
struct Offered {
  Document document;
  std::string bytes;
  std::string neighbour;  ///< that gave it; empty: its source did
};

struct Subscription;
/// The endorser lists that lead from the configuration to a subscription, the outermost first.
using ListPath = std::vector<std::shared_ptr<Subscription const>>;

/// One source of documents, and all that is known of it. Belongs to the loop thread.
struct Subscription {
  Subscription(boost::asio::io_context& loop, flow::SubscriptionSettings configured)
      : settings{std::move(configured)}, schedule{settings.refresh}, timer{loop} {}

  flow::SubscriptionSettings settings;
  std::vector<ListPath> paths;  ///< all ways to it; none: the configuration names it
  subscription::Schedule schedule;
  boost::asio::steady_timer timer;
  bool in_flight = false;
  bool again = false;       ///< asked to refresh while a job was under way
  bool news = false;        ///< heard from neighbours while a job was under way
  bool answered = false;    ///< has had its first answer
  bool removed = false;     ///< no longer configured; a late answer is dropped
  bool awaited = false;     ///< no plan is made before its first answer
  bool unheard_of = false;  ///< nothing that was accepted before it was followed can be a version of its document

  std::optional<std::string> accepted_name;  ///< of the document that this source gave first
  Document document;                         ///< none before the first one passed since the start
  std::shared_ptr<std::string const> bytes;  ///< as accepted last, verified again with every refresh
  std::string neighbour;                     ///< that gave `document` since the start; empty: its source did
  std::optional<Offered> held_back;          ///< would withdraw so much that the operator is asked first
  std::string etag;
  std::optional<Error> error;      ///< of the last refresh
  std::optional<Error> old_fault;  ///< why `bytes` no longer pass
  std::optional<TimePoint> stale_since;
  std::optional<TimePoint> refreshed, next_refresh;
  bool freeze_said = false;  ///< of `document`
  std::string last_said;     ///< the refusal that was logged last: the same one is not said twice
};

/// "catalogue lxcloud (https://…)", for messages.
std::string title_of(Subscription const& source);
/// doc-stale: half of the document's life is gone and nothing newer has come; somebody may be keeping it back.
std::optional<Error> freeze_warning(Subscription const& source, TimePoint now);
/// The worse of its own and, by the best of its ways, that of the lists on it.
selection::Standing standing_of(Subscription const& source, TimePoint now);
state::SubscriptionStatus status_of(Subscription const& source, TimePoint now);

}  // namespace imageswarm::coordinator
