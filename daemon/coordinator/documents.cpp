#include "daemon/coordinator/documents.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/coordinator/derive.hpp"
#include "daemon/subscription/fetch.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Standing;

/// May this have come by the subscription? One that names its document and all its signers in full has documents of
/// its own even where another has the same URL.
bool fits(state::AcceptedDocument const& stored, flow::SubscriptionSettings const& settings) {
  if (stored.url != settings.url || stored.key.kind != settings.kind) return false;
  bool const in_full = settings.document && std::ranges::all_of(settings.signers, [](auto const& signer) {
                         return signer.issuer.has_value();
                       });
  if (!in_full) return true;
  return stored.key.name == *settings.document && std::ranges::any_of(settings.signers, [&](auto const& signer) {
           return stored.key.signer == trust::Signer{signer.subject, *signer.issuer, {}}.text();
         });
}

/// What was accepted last from this source, or null.
state::AcceptedDocument const* newest_of(std::vector<state::AcceptedDocument> const& stored,
                                         flow::SubscriptionSettings const& settings) {
  state::AcceptedDocument const* newest = nullptr;
  for (auto const& document : stored) {
    if (!fits(document, settings)) continue;
    if (!newest || document.accepted > newest->accepted) newest = &document;
  }
  return newest;
}

/// Was any version of this document accepted before, be it by another URL or signer?
bool is_heard_of(std::vector<state::AcceptedDocument> const& stored, flow::SubscriptionSettings const& settings) {
  return std::ranges::any_of(stored, [&](auto const& document) {
    return document.key.kind == settings.kind &&
           (document.url == settings.url || document.key.name == settings.document);
  });
}

template <class T>
std::vector<selection::Source<T>> sources_of(std::vector<std::shared_ptr<Subscription>> const& subscriptions,
                                             document::Kind kind, TimePoint now) {
  std::vector<selection::Source<T>> sources;
  for (auto const& source : subscriptions) {
    if (source->settings.kind != kind) continue;
    sources.push_back({.document = source->document.as<T>(),
                       .url = source->settings.url,
                       .standing = standing_of(*source, now),
                       .signers = source->settings.signers,
                       .name = source->settings.document ? source->settings.document : source->accepted_name});
  }
  return sources;
}

std::vector<trust::SignerPattern> signers_of(std::vector<flow::SubscriptionSettings> const& subscriptions) {
  std::vector<trust::SignerPattern> signers;
  for (auto const& settings : subscriptions) std::ranges::copy(settings.signers, std::back_inserter(signers));
  return signers;
}

/// All that is to be followed: what is configured, and after it what is derived.
std::vector<flow::SubscriptionSettings> with_derived(std::vector<flow::SubscriptionSettings> configured,
                                                     Derivation const& derivation) {
  for (auto const& derived : derivation.subscriptions) configured.push_back(derived.settings);
  return configured;
}

Refresher::Surroundings telling(Refresher::Surroundings surroundings, std::function<void()> changed) {
  surroundings.changed = std::move(changed);
  return surroundings;
}

}  // namespace

Documents::Documents(Refresher::Surroundings surroundings)
    : loop_{surroundings.loop},
      state_{surroundings.state},
      clock_{surroundings.clock},
      neighbours_{surroundings.neighbours},
      changed_{surroundings.changed},
      refresher_{std::make_shared<Refresher>(telling(std::move(surroundings), [this] { on_answer(); }))} {}

Documents::~Documents() {
  for (auto const& source : subscriptions_) source->removed = true;
}

Result<> Documents::configure(std::vector<flow::SubscriptionSettings> const& subscriptions,
                              trust::AnchorPolicy const& anchors) {
  refresher_->trust(anchors, subscriptions_);
  auto const before = subscriptions_;
  configured_ = subscriptions;
  if (auto done = follow_all(); !done) return done;
  for (auto const& source : subscriptions_) {
    if (std::ranges::find(before, source) != before.end()) refresher_->refresh(source);
  }
  if (subscriptions_.empty()) refresher_->tell_soon();  // no answer does
  return {};
}

Documents::EndorserLists Documents::lists_at_hand() const {
  EndorserLists lists;
  for (auto const& source : subscriptions_) {
    if (source->settings.kind == document::Kind::endorser_list) {
      lists.push_back(source->document.as<document::EndorserList>());
    }
  }
  return lists;
}

Result<> Documents::follow_all() {
  auto derivation = derive(configured_, subscriptions_);
  auto const wanted = with_derived(configured_, derivation);
  refresher_->know(signers_of(wanted));
  if (auto done = follow(wanted); !done) return done;
  tell_neighbours();
  for (auto const& source : subscriptions_) source->paths.clear();
  for (std::size_t i = 0; i < derivation.subscriptions.size(); ++i) {
    subscriptions_[configured_.size() + i]->paths = std::move(derivation.subscriptions[i].paths);
  }
  lists_followed_ = lists_at_hand();
  all_followed_ = derivation.complete;
  say_left_out(std::move(derivation.left_out));
  return {};
}

void Documents::on_answer() {
  if (lists_at_hand() != lists_followed_) {
    if (auto done = follow_all(); !done) log_error("following the endorser lists: {}", done.error().line());
  }
  tell_neighbours();
  // What a list names and an earlier run knew is looked at before a plan is made: it must not look like withdrawn.
  if (!refresher_->loading()) changed_();
}

/// Which documents this host follows, and what it has of them: what is in use and trusted.
void Documents::tell_neighbours() {
  std::vector<exchange::Followed> documents;
  for (auto const& source : subscriptions_) {
    auto const& settings = source->settings;
    if (subscription::is_local(settings.url)) continue;
    auto& followed = documents.emplace_back();
    followed.topic = topic_of(settings.kind, settings.url);
    followed.epoch = settings.epoch;
    if (!source->document || source->old_fault) continue;
    auto const& header = source->document.header();
    followed.held = {followed.topic, header.epoch, header.serial, source->document.digest(), {source->bytes->size()}};
    followed.bytes = source->bytes;
  }
  neighbours_.follow(std::move(documents));
}

void Documents::look_around(std::vector<exchange::Topic> const& topics) {
  for (auto const& source : subscriptions_) {
    auto const topic = topic_of(source->settings.kind, source->settings.url);
    if (std::ranges::find(topics, topic) != topics.end()) refresher_->look_around(source);
  }
}

void Documents::say_left_out(std::vector<std::string> lines) {
  for (auto const& line : lines) {
    if (std::ranges::find(left_out_, line) == left_out_.end()) log_warning("{}; left out", line);
  }
  left_out_ = std::move(lines);
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
    source->unheard_of = !is_heard_of(*stored, settings);
    known ? refresher_->load(source, known->bytes) : refresher_->refresh(source);
  }
  for (auto const& source : before) {
    source->removed = std::ranges::find(subscriptions_, source) == subscriptions_.end();
    if (!source->removed) continue;
    source->timer.cancel();
    refresher_->end_await(*source);
  }
  return {};
}

void Documents::refresh_now() {
  for (auto const& source : subscriptions_) refresher_->refresh(source);
}

bool Documents::loading() const {
  return refresher_->loading();
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

bool Documents::endorsers_known() const {
  return all_followed_ && std::ranges::all_of(subscriptions_, [now = clock_.now()](auto const& source) {
           // An included list that was never accepted cannot have vouched for anybody.
           bool const is_included = !source->paths.empty();
           return source->settings.kind != document::Kind::endorser_list || source->document ||
                  standing_of(*source, now) == Standing::revoked ||
                  (is_included && source->unheard_of && source->answered);
         });
}

std::vector<selection::Source<document::Catalogue>> Documents::catalogues() const {
  return sources_of<document::Catalogue>(subscriptions_, document::Kind::catalogue, clock_.now());
}

std::vector<selection::Source<document::Catalogue>> Documents::catalogues_with(Subscription const& source,
                                                                               Document const& version) const {
  auto updated = std::make_shared<Subscription>(loop_, source.settings);
  updated->paths = source.paths;
  updated->accepted_name = version.header().name;
  updated->document = version;
  auto subscriptions = subscriptions_;
  std::ranges::replace_if(
      subscriptions, [&](auto const& each) { return each.get() == &source; }, updated);
  auto const wanted = with_derived(configured_, derive(configured_, subscriptions));
  std::erase_if(subscriptions,
                [&](auto const& each) { return std::ranges::find(wanted, each->settings) == wanted.end(); });
  // What would be followed from then on is not known yet, which is not the same as withdrawn.
  for (auto const& settings : wanted) {
    auto const same = [&](auto const& each) { return each->settings == settings; };
    if (std::ranges::none_of(subscriptions, same)) {
      subscriptions.push_back(std::make_shared<Subscription>(loop_, settings));
    }
  }
  return sources_of<document::Catalogue>(subscriptions, document::Kind::catalogue, clock_.now());
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
