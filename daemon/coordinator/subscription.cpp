#include "daemon/coordinator/subscription.hpp"

#include <fmt/format.h>

#include <chrono>

#include "common/base/text.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Standing;
using state::SubscriptionState;

/// Half of its life gone and nothing newer: somebody may be holding the next version back.
bool is_half_gone(document::Header const& header, TimePoint now) {
  return now > header.issued + (header.expires - header.issued) / 2;
}

/// What the document that is in use is worth, and why where nothing else went wrong.
void judge_age(Subscription const& source, TimePoint now, state::SubscriptionStatus& row) {
  auto const& header = source.document.header();
  if (now >= header.expires) {
    row.state = SubscriptionState::expired;
    if (!row.error) row.error = Error{Fault::doc_expired, "expired " + format_time(header.expires)};
  } else if (standing_of(source, now) != Standing::trusted) {
    row.state = SubscriptionState::stale;
  } else if (!source.error && is_half_gone(header, now)) {
    row.state = SubscriptionState::stale;
    row.error =
        Error{Fault::doc_stale, fmt::format("half of its lifetime is over and no newer version has come; it ends {}",
                                            format_time(header.expires))};
  } else if (!source.error) {
    row.state = SubscriptionState::current;
  }
}

}  // namespace

bool ends_trust(Fault fault) {
  return fault == Fault::cert_revoked || fault == Fault::signer_not_listed;
}

std::string title_of(Subscription const& source) {
  auto const name = source.document ? source.document.header().name : source.settings.document.value_or("");
  return fmt::format("{}{}{} ({})", document::name_of(source.settings.kind), name.empty() ? "" : " ", name,
                     printable(source.settings.url));
}

Standing standing_of(Subscription const& source, TimePoint now) {
  if (source.old_fault && ends_trust(source.old_fault->fault)) return Standing::revoked;
  bool const expired = source.document && now >= source.document.header().expires;
  auto const since = expired ? std::optional{source.document.header().expires} : source.stale_since;
  if (!since) return Standing::trusted;
  return now - *since > std::chrono::days{1} ? Standing::stopped : Standing::stale;
}

state::SubscriptionStatus status_of(Subscription const& source, TimePoint now) {
  state::SubscriptionStatus row;
  row.kind = source.settings.kind;
  row.url = source.settings.url;
  row.name = source.settings.document.value_or("");
  row.error = source.error;
  row.refreshed = source.refreshed;
  row.next_refresh = source.next_refresh;
  bool const unreachable = source.error && class_of(source.error->fault) == FaultClass::failed;
  row.state = unreachable ? SubscriptionState::unreachable : SubscriptionState::refused;
  if (!source.document) return row;
  auto const& header = source.document.header();
  row.name = header.name;
  row.epoch = header.epoch;
  row.serial = header.serial;
  row.expires = header.expires;
  judge_age(source, now, row);
  return row;
}

}  // namespace imageswarm::coordinator
