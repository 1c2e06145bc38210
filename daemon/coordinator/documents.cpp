#include "daemon/coordinator/documents.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/coordinator/judge.hpp"
#include "daemon/subscription/schedule.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Standing;

/// Does this fault end the trust in what was accepted earlier (docs/operations.md, "What ends trust")?
bool ends_trust(Fault fault) {
  return fault == Fault::cert_revoked || fault == Fault::signer_not_listed;
}

double dice() {
  static std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<>{}(generator);
}

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

}  // namespace

struct Documents::Subscription {
  Subscription(boost::asio::io_context& loop, flow::SubscriptionSettings configured)
      : settings{std::move(configured)}, schedule{settings.refresh}, timer{loop} {}

  flow::SubscriptionSettings settings;
  subscription::Schedule schedule;
  boost::asio::steady_timer timer;
  bool in_flight = false;
  bool again = false;     ///< asked to refresh while a job was under way
  bool answered = false;  ///< has had its first answer
  bool removed = false;   ///< no longer configured; a late answer is dropped

  std::optional<std::string> accepted_name;  ///< of the document that this source gave first
  Document document;
  std::shared_ptr<std::string const> bytes;  ///< of `document`, verified again with every refresh
  std::string etag;
  std::optional<Error> error;      ///< of the last refresh
  std::optional<Error> old_fault;  ///< why `document` no longer passes
  std::optional<TimePoint> stale_since;
  std::optional<TimePoint> refreshed, next_refresh;
  std::string last_said;  ///< the refusal that was logged last: the same one is not said twice

  std::string title() const {
    auto const name = document ? document.header().name : settings.document.value_or("");
    return fmt::format("{}{}{} ({})", document::name_of(settings.kind), name.empty() ? "" : " ", name,
                       printable(settings.url));
  }
  Standing standing(TimePoint now) const {
    if (old_fault && ends_trust(old_fault->fault)) return Standing::revoked;
    auto const since =
        document && now >= document.header().expires ? std::optional{document.header().expires} : stale_since;
    if (!since) return Standing::trusted;
    return now - *since > std::chrono::days{1} ? Standing::stopped : Standing::stale;
  }
};

struct Documents::Shared : std::enable_shared_from_this<Shared> {
  boost::asio::io_context& loop;
  Workers& workers;
  state::State& state;
  Clock const& clock;
  std::function<void()> changed;
  std::function<void(Fault)> said;
  trust::AnchorPolicy anchors;
  unsigned loading = 0;  ///< documents of earlier runs that are still being verified

  Shared(boost::asio::io_context& l, Workers& w, state::State& s, Clock const& c, std::function<void()> on_change,
         std::function<void(Fault)> on_fault)
      : loop{l}, workers{w}, state{s}, clock{c}, changed{std::move(on_change)}, said{std::move(on_fault)} {}

  Result<Judge> judge_for(Subscription const& source) {
    auto floors = state.floors();
    if (!floors) return fail(std::move(floors.error()));
    auto time_floor = state.time_floor();
    if (!time_floor) return fail(std::move(time_floor.error()));
    trust::Expectation expected;
    expected.kind = source.settings.kind;
    expected.signers = source.settings.signers;
    // A source stays with the document that it gave first: another one of the same signer cannot take its place.
    expected.name = source.settings.document ? source.settings.document : source.accepted_name;
    expected.epoch = source.settings.epoch;
    return Judge{anchors, std::move(expected), std::move(*floors), {clock.now(), std::max(*time_floor, build_time())}};
  }

  /// The document of an earlier run: verified again before it counts.
  void load(std::shared_ptr<Subscription> const& source, std::string bytes) {
    auto judge = judge_for(*source);
    if (!judge) return give_up(source, judge.error());
    source->in_flight = true;
    ++loading;
    auto kept = std::make_shared<std::string const>(std::move(bytes));
    workers.run([judge = std::move(*judge), kept](std::stop_token const&) { return judge.verify(*kept); },
                [self = shared_from_this(), source, kept](Result<Document> document) {
                  source->in_flight = false;
                  --self->loading;
                  if (document) {
                    source->document = std::move(*document);
                    source->bytes = kept;
                  } else {
                    self->note_old_fault(*source, document.error());
                  }
                  self->tell();
                  if (!source->removed) self->refresh(source);
                });
  }

  void refresh(std::shared_ptr<Subscription> const& source) {
    if (source->in_flight) {
      source->again = true;
      return;
    }
    auto judge = judge_for(*source);
    if (!judge) return give_up(source, judge.error());
    source->in_flight = true;
    source->timer.cancel();
    auto look = [judge = std::move(*judge), url = source->settings.url, etag = source->etag,
                 old = source->bytes](std::stop_token const& stop) { return judge.look(url, etag, old.get(), stop); };
    workers.run(std::move(look), [self = shared_from_this(), source](Outcome outcome) {
      source->in_flight = false;
      if (source->removed) return;
      self->take(*source, std::move(outcome));
      self->schedule_next(source);
      self->tell();
    });
  }

  /// No plan is made of half the documents: what is not verified yet must not look like what is withdrawn.
  void tell() {
    if (loading == 0) changed();
  }

  void take(Subscription& source, Outcome outcome) {
    source.answered = true;
    source.error.reset();
    if (outcome.unreachable) {
      refuse(source, std::move(*outcome.unreachable), "unreachable");
    } else {
      source.refreshed = clock.now();
      if (!outcome.offer) {
        source.etag = std::move(outcome.etag);
        source.last_said.clear();
      } else if (!*outcome.offer) {
        if (outcome.offer->error().fault == Fault::equivocation) keep_evidence(source, outcome.bytes);
        source.etag.clear();  // the same bytes must be judged again: a CRL or a clock may have changed
        refuse(source, std::move(outcome.offer->error()), "refused");
      } else {
        source.etag.clear();
        if (accept(source, std::move(**outcome.offer), std::move(outcome.bytes))) source.etag = std::move(outcome.etag);
      }
    }
    if (outcome.old_fault) {
      note_old_fault(source, *outcome.old_fault);
    } else if (source.document) {
      source.old_fault.reset();
      source.stale_since.reset();
      // A document that holds now vouches for the clock: it may not fall behind this moment.
      if (auto raised = state.raise_time_floor(clock.now()); !raised) log_warning("{}", raised.error().line());
    }
  }

  bool accept(Subscription& source, Document document, std::string bytes) {
    auto const& header = document.header();
    auto const now = clock.now();
    auto const kept = state.accept({.key = document.key(),
                                    .floor = document.floor(),
                                    .url = source.settings.url,
                                    .bytes = bytes,
                                    .issued = header.issued,
                                    .accepted = now});
    if (!kept) {
      refuse(source, kept.error(), "could not keep");
      return false;
    }
    log_info("accepted {} {} ({}): serial {}, signed by {}, valid until {}", document::name_of(source.settings.kind),
             header.name, printable(source.settings.url), header.serial, printable(document.signer().text()),
             format_time(header.expires));
    for (auto const& refused :
         document.catalogue ? document.catalogue->content().refused : std::vector<document::RefusedEntry>{}) {
      say(refused.error.fault);
      log_warning("refused image {} of {}: {}", printable(refused.name), source.title(), refused.error.line());
    }
    source.accepted_name = header.name;
    source.document = std::move(document);
    source.bytes = std::make_shared<std::string const>(std::move(bytes));
    source.last_said.clear();
    return true;
  }

  void refuse(Subscription& source, Error error, std::string_view what) {
    auto text = fmt::format("{} {}: {}; {}", what, source.title(), error.line(),
                            source.document ? "keeping the accepted one" : "nothing from it is used");
    if (text != source.last_said) {
      log_warning("{}", text);
      source.last_said = std::move(text);
    }
    say(error.fault);
    source.error = std::move(error);
  }

  void note_old_fault(Subscription& source, Error const& fault) {
    bool const is_news = !source.old_fault || source.old_fault->fault != fault.fault;
    if (is_news) {
      log_error("{} no longer gives trust: {}{}", source.title(), fault.line(),
                ends_trust(fault.fault) ? "; its images are withdrawn" : "; nothing new on its word");
      say(fault.fault);
    }
    // How long a document that was expired at the start has been so is not known: long enough.
    bool const long_ago = !source.document && fault.fault == Fault::doc_expired;
    if (!source.stale_since) source.stale_since = long_ago ? TimePoint{} : clock.now();
    if (!source.error) source.error = fault;
    source.old_fault = fault;
  }

  void keep_evidence(Subscription& source, std::string_view bytes) {
    if (!source.document) return;
    auto const kept = state.keep_evidence(source.document.key(), source.settings.url, bytes, clock.now());
    if (!kept) log_error("keeping the evidence against {}: {}", source.title(), kept.error().line());
  }

  void give_up(std::shared_ptr<Subscription> const& source, Error error) {
    source->answered = true;
    refuse(*source, std::move(error), "could not refresh");
    schedule_next(source);
    boost::asio::post(loop, [self = shared_from_this()] { self->tell(); });
  }

  void schedule_next(std::shared_ptr<Subscription> const& source) {
    auto delay = source->error ? source->schedule.after_failure(dice()) : source->schedule.after_success(dice());
    if (std::exchange(source->again, false)) delay = {};
    source->next_refresh = clock.now() + std::chrono::ceil<std::chrono::seconds>(delay);
    source->timer.expires_after(delay);
    source->timer.async_wait([self = weak_from_this(), source](boost::system::error_code error) {
      auto const alive = self.lock();
      if (!error && alive && !source->removed) alive->refresh(source);
    });
  }

  void say(Fault fault) { said(fault); }
};

Documents::Documents(boost::asio::io_context& loop, Workers& workers, state::State& state, Clock const& clock,
                     std::function<void()> changed, std::function<void(Fault)> said)
    : shared_{std::make_shared<Shared>(loop, workers, state, clock, std::move(changed), std::move(said))} {}

Documents::~Documents() {
  for (auto const& source : subscriptions_) source->removed = true;
}

Result<> Documents::configure(std::vector<flow::SubscriptionSettings> const& subscriptions,
                              trust::AnchorPolicy const& anchors) {
  auto stored = shared_->state.documents();
  if (!stored) return fail(std::move(stored.error()));
  shared_->anchors = anchors;
  auto const before = std::exchange(subscriptions_, {});
  for (auto const& settings : subscriptions) {
    auto const same = [&](auto const& source) { return source->settings == settings; };
    if (auto const kept = std::ranges::find_if(before, same); kept != before.end()) {
      subscriptions_.push_back(*kept);
      shared_->refresh(*kept);
      continue;
    }
    auto const& source = subscriptions_.emplace_back(std::make_shared<Subscription>(shared_->loop, settings));
    auto const* const known = newest_of(*stored, settings);
    if (known) source->accepted_name = known->key.name;
    known ? shared_->load(source, known->bytes) : shared_->refresh(source);
  }
  for (auto const& source : before) {
    source->removed = std::ranges::find(subscriptions_, source) == subscriptions_.end();
    if (source->removed) source->timer.cancel();
  }
  return {};
}

void Documents::refresh_now() {
  for (auto const& source : subscriptions_) shared_->refresh(source);
}

bool Documents::settled() const {
  return std::ranges::all_of(subscriptions_, [](auto const& source) { return source->answered; });
}

bool Documents::any_trusted() const {
  auto const now = shared_->clock.now();
  return std::ranges::any_of(subscriptions_, [now](auto const& source) {
    return source->document.catalogue && source->standing(now) == Standing::trusted;
  });
}

bool Documents::all_trusted() const {
  auto const now = shared_->clock.now();
  return std::ranges::all_of(subscriptions_, [now](auto const& source) {
    return source->document && source->standing(now) == Standing::trusted;
  });
}

bool Documents::any_refused() const {
  return std::ranges::any_of(subscriptions_, [](auto const& source) {
    auto const& catalogue = source->document.catalogue;
    return source->error.has_value() || (catalogue && !catalogue->content().refused.empty());
  });
}

std::vector<selection::Source<document::Catalogue>> Documents::catalogues() const {
  std::vector<selection::Source<document::Catalogue>> sources;
  for (auto const& source : subscriptions_) {
    if (source->settings.kind != document::Kind::catalogue) continue;
    sources.push_back({source->document.catalogue, source->settings.url, source->standing(shared_->clock.now())});
  }
  return sources;
}

std::vector<selection::Source<document::ApprovalList>> Documents::approvals() const {
  std::vector<selection::Source<document::ApprovalList>> sources;
  for (auto const& source : subscriptions_) {
    if (source->settings.kind != document::Kind::approval_list) continue;
    sources.push_back({source->document.approvals, source->settings.url, source->standing(shared_->clock.now())});
  }
  return sources;
}

namespace {

/// Half of its life gone and nothing newer: somebody may be holding the next version back.
bool is_half_gone(document::Header const& header, TimePoint now) {
  return now > header.issued + (header.expires - header.issued) / 2;
}

}  // namespace

std::vector<state::SubscriptionStatus> Documents::statuses() const {
  using state::SubscriptionState;
  auto const now = shared_->clock.now();
  std::vector<state::SubscriptionStatus> rows;
  for (auto const& source : subscriptions_) {
    auto& row = rows.emplace_back();
    row.kind = source->settings.kind;
    row.url = source->settings.url;
    row.name = source->settings.document.value_or("");
    row.error = source->error;
    row.refreshed = source->refreshed;
    row.next_refresh = source->next_refresh;
    bool const unreachable = source->error && class_of(source->error->fault) == FaultClass::failed;
    row.state = unreachable ? SubscriptionState::unreachable : SubscriptionState::refused;
    if (!source->document) continue;
    auto const& header = source->document.header();
    row.name = header.name;
    row.epoch = header.epoch;
    row.serial = header.serial;
    row.expires = header.expires;
    if (now >= header.expires) {
      row.state = SubscriptionState::expired;
      if (!row.error) row.error = Error{Fault::doc_expired, "expired " + format_time(header.expires)};
    } else if (source->standing(now) != Standing::trusted) {
      row.state = SubscriptionState::stale;
    } else if (!source->error) {
      row.state = is_half_gone(header, now) ? SubscriptionState::stale : SubscriptionState::current;
      if (row.state == SubscriptionState::stale) {
        row.error = Error{Fault::doc_stale,
                          fmt::format("half of its lifetime is over and no newer version has come; it ends {}",
                                      format_time(header.expires))};
      }
    }
  }
  return rows;
}

}  // namespace imageswarm::coordinator
