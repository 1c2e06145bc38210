#include "daemon/coordinator/documents.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Standing;

/// What was accepted last from this source, whoever signed it and whatever its name was; or null.
state::AcceptedDocument const* newest_of(std::vector<state::AcceptedDocument> const& stored,
                                         flow::SubscriptionSettings const& settings) {
  state::AcceptedDocument const* newest = nullptr;
  for (auto const& document : stored) {
    if (document.url != settings.url || document.key.kind != settings.kind) continue;
    if (!newest || document.accepted > newest->accepted) newest = &document;
  }
  return newest;
}

template <class T>
std::vector<selection::Source<T>> sources_of(std::vector<std::shared_ptr<Subscription>> const& subscriptions,
                                             document::Kind kind, TimePoint now) {
  std::vector<selection::Source<T>> sources;
  for (auto const& source : subscriptions) {
    if (source->settings.kind != kind) continue;
    sources.push_back({source->document.as<T>(), source->settings.url, standing_of(*source, now)});
  }
  return sources;
}

}  // namespace

Documents::Documents(Refresher::Surroundings surroundings)
    : loop_{surroundings.loop},
      state_{surroundings.state},
      clock_{surroundings.clock},
      refresher_{std::make_shared<Refresher>(std::move(surroundings))} {}

Documents::~Documents() {
  for (auto const& source : subscriptions_) source->removed = true;
}

Result<> Documents::configure(std::vector<flow::SubscriptionSettings> const& subscriptions,
                              trust::AnchorPolicy const& anchors) {
  refresher_->trust(anchors);
  auto const before = subscriptions_;
  if (auto done = follow(subscriptions); !done) return done;
  for (auto const& source : subscriptions_) {
    if (std::ranges::find(before, source) != before.end()) refresher_->refresh(source);
  }
  return {};
}

Result<> Documents::follow(std::vector<flow::SubscriptionSettings> const& subscriptions) {
  auto stored = state_.documents();
  if (!stored) return fail(std::move(stored.error()));
  auto const before = std::exchange(subscriptions_, {});
  for (auto const& settings : subscriptions) {
    auto const same = [&](auto const& source) { return source->settings == settings; };
    if (auto const kept = std::ranges::find_if(before, same); kept != before.end()) {
      subscriptions_.push_back(*kept);
      continue;
    }
    auto const& source = subscriptions_.emplace_back(std::make_shared<Subscription>(loop_, settings));
    auto const* const known = newest_of(*stored, settings);
    if (known) source->accepted_name = known->key.name;
    known ? refresher_->load(source, known->bytes) : refresher_->refresh(source);
  }
  for (auto const& source : before) {
    source->removed = std::ranges::find(subscriptions_, source) == subscriptions_.end();
    if (source->removed) source->timer.cancel();
  }
  return {};
}

void Documents::refresh_now() {
  for (auto const& source : subscriptions_) refresher_->refresh(source);
}

void Documents::judge_again() {
  refresher_->judge_again(subscriptions_);
}

Result<> Documents::confirm(std::string_view document) {
  std::vector<Subscription*> named;
  for (auto const& source : subscriptions_) {
    bool const is_named = source->held_back &&
                          (source->held_back->document.header().name == document || source->settings.url == document);
    if (is_named) named.push_back(source.get());
  }
  if (named.empty()) return fail(Fault::not_found, "no new version of '{}' is held back", printable(document));
  if (named.size() == 1) return refresher_->accept_held_back(*named.front());
  std::vector<std::string> urls;
  for (auto const* source : named) urls.push_back(source->settings.url);
  return fail(Fault::usage, "several documents are called '{}', confirm one by its URL: {}", printable(document),
              join(urls, ", "));
}

bool Documents::settled() const {
  return std::ranges::all_of(subscriptions_, [](auto const& source) { return source->answered; });
}

bool Documents::any_trusted() const {
  auto const now = clock_.now();
  return std::ranges::any_of(subscriptions_, [now](auto const& source) {
    return source->document.template as<document::Catalogue>() && standing_of(*source, now) == Standing::trusted;
  });
}

bool Documents::all_trusted() const {
  auto const now = clock_.now();
  return std::ranges::all_of(subscriptions_, [now](auto const& source) {
    return source->document && standing_of(*source, now) == Standing::trusted;
  });
}

bool Documents::any_refused() const {
  return clock_.trouble() || std::ranges::any_of(subscriptions_, [](auto const& source) {
           auto const catalogue = source->document.template as<document::Catalogue>();
           return source->error.has_value() || (catalogue && !catalogue->content().refused.empty());
         });
}

std::vector<selection::Source<document::Catalogue>> Documents::catalogues() const {
  return sources_of<document::Catalogue>(subscriptions_, document::Kind::catalogue, clock_.now());
}

std::vector<selection::Source<document::Catalogue>> Documents::catalogues_with(Subscription const& source,
                                                                               Document const& version) const {
  auto sources = catalogues();
  for (auto& each : sources) {
    if (each.url == source.settings.url) each = {version.as<document::Catalogue>(), each.url, Standing::trusted};
  }
  return sources;
}

std::vector<selection::Source<document::ApprovalList>> Documents::approvals() const {
  return sources_of<document::ApprovalList>(subscriptions_, document::Kind::approval_list, clock_.now());
}

std::vector<state::SubscriptionStatus> Documents::statuses() const {
  auto const now = clock_.now();
  std::vector<state::SubscriptionStatus> rows;
  for (auto const& source : subscriptions_) {
    auto& row = rows.emplace_back(status_of(*source, now));
    if (!clock_.trouble()) continue;
    row.state = state::SubscriptionState::refused;
    row.error = clock_.trouble();
  }
  return rows;
}

}  // namespace imageswarm::coordinator
