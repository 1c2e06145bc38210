#include "daemon/coordinator/subscription.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/base/text.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Standing;
using state::SubscriptionState;

Standing own_standing(Subscription const& source, TimePoint now) {
  if (source.old_fault && ends_trust(source.old_fault->fault)) return Standing::revoked;
  bool const expired = source.document && now >= source.document.header().expires;
  auto const since = expired ? std::optional{source.document.header().expires} : source.stale_since;
  if (!since) return Standing::trusted;
  return now - *since > std::chrono::days{1} ? Standing::stopped : Standing::stale;
}

Standing worst_on(ListPath const& path, TimePoint now) {
  auto worst = Standing::trusted;
  for (auto const& list : path) worst = std::max(worst, own_standing(*list, now));
  return worst;
}

Standing standing_of_lists(Subscription const& source, TimePoint now) {
  if (source.paths.empty()) return Standing::trusted;
  auto best = Standing::revoked;
  for (auto const& path : source.paths) best = std::min(best, worst_on(path, now));
  return best;
}

/// Why the lists that name it give no trust, if so.
std::optional<Error> trouble_of_lists(Subscription const& source, TimePoint now) {
  auto const standing = standing_of_lists(source, now);
  if (standing == Standing::trusted) return std::nullopt;
  auto const& path = source.paths.front();
  auto const worst = std::ranges::max_element(path, {}, [now](auto const& list) { return own_standing(*list, now); });
  if (standing == Standing::revoked) {
    return Error{Fault::endorser_withdrawn, title_of(**worst) + " names this endorser, but its own signer is revoked"};
  }
  auto const fault = (*worst)->old_fault ? (*worst)->old_fault->fault : Fault::doc_expired;
  return Error{fault, title_of(**worst) + " names this endorser and gives no trust at the moment"};
}

/// What the document that is in use is worth, and why where nothing else went wrong.
void judge_age(Subscription const& source, TimePoint now, state::SubscriptionStatus& row) {
  auto const& header = source.document.header();
  if (now >= header.expires) {
    row.state = SubscriptionState::expired;
    if (!row.error) row.error = Error{Fault::doc_expired, "expired " + format_time(header.expires)};
  } else if (standing_of(source, now) != Standing::trusted) {
    row.state = SubscriptionState::stale;
    if (!row.error) row.error = trouble_of_lists(source, now);
  } else if (!source.error) {
    row.error = freeze_warning(source, now);
    row.state = row.error ? SubscriptionState::stale : SubscriptionState::current;
  }
}

}  // namespace

bool ends_trust(Fault fault) {
  return fault == Fault::cert_revoked || fault == Fault::signer_not_listed || fault == Fault::signer_wrong_role;
}

std::optional<Error> freeze_warning(Subscription const& source, TimePoint now) {
  if (!source.document) return std::nullopt;
  auto const& header = source.document.header();
  if (now <= header.issued + (header.expires - header.issued) / 2) return std::nullopt;
  return Error{Fault::doc_stale, fmt::format("half of its lifetime is over and no newer version has come; it ends {}",
                                             format_time(header.expires))};
}

std::string title_of(Subscription const& source) {
  auto const name = source.document ? source.document.header().name : source.settings.document.value_or("");
  return fmt::format("{}{}{} ({})", document::name_of(source.settings.kind), name.empty() ? "" : " ", name,
                     printable(source.settings.url));
}

Standing standing_of(Subscription const& source, TimePoint now) {
  return std::max(own_standing(source, now), standing_of_lists(source, now));
}

state::SubscriptionStatus status_of(Subscription const& source, TimePoint now) {
  state::SubscriptionStatus row;
  row.kind = source.settings.kind;
  row.url = source.settings.url;
  row.name = source.settings.document.value_or("");
  if (!source.paths.empty()) {
    auto const& signer = source.settings.signers.front();
    row.endorser = trust::Signer{signer.subject, *signer.issuer, {}}.text();
  }
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
  row.neighbour = source.neighbour;
  judge_age(source, now, row);
  return row;
}

}  // namespace imageswarm::coordinator
