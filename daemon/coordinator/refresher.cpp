#include "daemon/coordinator/refresher.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <ranges>
#include <tuple>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/trust/endorsers.hpp"

namespace imageswarm::coordinator {
namespace {

/// About refused entries of one catalogue, for each fault word.
constexpr unsigned most_lines = 3;

double dice() {
  static std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<>{}(generator);
}

/// Is what was accepted there earlier, and not what came since the start, of somebody else than may sign it now?
bool signer_was_replaced(Subscription const& source) {
  auto const& fault = source.old_fault;
  return !source.document && fault &&
         (fault->fault == Fault::signer_not_listed || fault->fault == Fault::signer_wrong_role);
}

/// Whoever runs the host sees whom a new version of a list lets in and out.
void say_differences(Subscription const& source, Document const& before) {
  static constexpr std::size_t most = 20;
  auto const old = before.as<document::EndorserList>();
  auto const lines = trust::differences(old ? old->content() : document::EndorserList{},
                                        source.document.as<document::EndorserList>()->content());
  for (auto const& line : lines | std::views::take(most)) log_info("{}: {}", title_of(source), line);
  if (lines.size() > most) log_info("{}: and {} more changes", title_of(source), lines.size() - most);
}

}  // namespace

void Refresher::know(std::vector<trust::SignerPattern> signers) {
  known_signers_ = std::make_shared<std::vector<trust::SignerPattern> const>(std::move(signers));
}

void Refresher::load(std::shared_ptr<Subscription> const& source, std::string bytes) {
  source->bytes = std::make_shared<std::string const>(std::move(bytes));
  verify_again(source, [self = shared_from_this(), source] {
    if (source->removed) return;
    // Whoever signs there now may have published the same images: nobody takes them back before that was asked for.
    if (signer_was_replaced(*source)) self->await_answer(*source);
    self->refresh(source);
  });
}

void Refresher::trust(trust::AnchorPolicy anchors, std::vector<std::shared_ptr<Subscription>> const& sources) {
  bool const same = std::tie(anchors_.anchors, anchors_.crl, anchors_.namespaces) ==
                    std::tie(anchors.anchors, anchors.crl, anchors.namespaces);
  if (same) return;
  anchors_ = std::move(anchors);
  judge_again(sources);
}

void Refresher::judge_again(std::vector<std::shared_ptr<Subscription>> const& sources) {
  ++anchors_version_;
  for (auto const& source : sources) {
    source->held_back.reset();  // judged by anchors that are no more
    if (source->bytes) verify_again(source, [] {});
    if (source->error || !source->document) refresh(source);  // what it offers may have been refused for the anchors
  }
}

/// Endorsers choose where their catalogues come from, and how slowly; the site chooses where it recalls.
Workers& Refresher::workers_for(Subscription const& source) {
  return source.settings.kind == document::Kind::approval_list ? around_.urgent_workers : around_.workers;
}

/// Beside whatever is being fetched: a slow source must not put off what a revocation list says. No plan is made before
/// a source without a document has its verdict.
void Refresher::verify_again(std::shared_ptr<Subscription> const& source, std::function<void()> then) {
  unsigned const counts = source->document ? 0 : 1;
  loading_ += counts;
  then = [self = shared_from_this(), counts, then = std::move(then)] {
    self->loading_ -= counts;
    then();
    self->tell();
  };
  auto judge = judge_for(*source);
  if (!judge) {
    refuse(*source, std::move(judge.error()), "could not verify");
    return boost::asio::post(around_.loop, std::move(then));
  }
  around_.urgent_workers.run(
      [judge = std::move(*judge), bytes = source->bytes](std::stop_token const&) { return judge.verify(*bytes); },
      [self = shared_from_this(), source, bytes = source->bytes, by = anchors_version_,
       then = std::move(then)](Result<Document> verdict) {
        bool const holds_still = by == self->anchors_version_ && bytes == source->bytes && !source->removed;
        if (holds_still) self->take_old(*source, std::move(verdict));
        then();
      });
}

void Refresher::refresh(std::shared_ptr<Subscription> const& source) {
  if (source->in_flight) {
    source->again = true;
    return;
  }
  auto judge = judge_for(*source);
  if (!judge) return give_up(source, judge.error());
  bool const held = around_.clock.trouble().has_value();
  source->in_flight = true;
  source->timer.cancel();
  auto look = [judge = std::move(*judge), url = source->settings.url, etag = source->etag,
               old = source->bytes](std::stop_token const& stop) { return judge.look(url, etag, old.get(), stop); };
  workers_for(*source).run(std::move(look), [self = shared_from_this(), source, held, by = anchors_version_,
                                             old = source->bytes](Outcome outcome) {
    source->in_flight = false;
    if (source->removed) return;
    // Judged by anchors that are no more, or beside a version that was confirmed meanwhile.
    if (by != self->anchors_version_ || old != source->bytes) return self->refresh(source);
    if (!outcome.unreachable) self->around_.clock.on_refresh(source->settings.url);
    source->answered = true;
    // What was judged by a time that nobody vouches for is judged again when somebody does.
    if (!held && !self->around_.clock.trouble()) {
      self->take(*source, std::move(outcome));
      self->end_await(*source);
    }
    self->schedule_next(source);
    if (std::exchange(source->news, false)) self->look_around(source);
    self->tell();
  });
}

void Refresher::look_around(std::shared_ptr<Subscription> const& source) {
  auto judge = judge_for(*source);
  if (source->in_flight || !judge) {
    source->news = source->in_flight;
    return;
  }
  bool const held = around_.clock.trouble().has_value();
  source->in_flight = true;
  auto look = [judge = std::move(*judge), url = source->settings.url](std::stop_token const& stop) {
    return judge.look_around(url, stop);
  };
  around_.workers.run(std::move(look), [self = shared_from_this(), source, held, by = anchors_version_,
                                        old = source->bytes](std::optional<NeighboursOffer> offer) {
    source->in_flight = false;
    if (source->removed) return;
    bool const holds_still = by == self->anchors_version_ && old == source->bytes && !held;
    if (offer && holds_still && !self->around_.clock.trouble()) {
      self->take_neighbours_offer(*source, std::move(*offer));
    }
    // The timer may have come meanwhile, or the operator.
    if (std::exchange(source->again, false)) return self->refresh(source);
    if (std::exchange(source->news, false)) self->look_around(source);
    self->tell();
  });
}

Result<Judge> Refresher::judge_for(Subscription const& source) const {
  around_.clock.look();
  auto floors = around_.state.floors();
  if (!floors) return fail(std::move(floors.error()));
  auto time_floor = around_.state.time_floor();
  if (!time_floor) return fail(std::move(time_floor.error()));
  trust::Expectation expected;
  expected.kind = source.settings.kind;
  expected.signers = source.settings.signers;
  expected.elsewhere = known_signers_;
  // A source stays with the document that it gave first: another one of the same signer cannot take its place.
  expected.name = source.settings.document ? source.settings.document : source.accepted_name;
  expected.epoch = source.settings.epoch;
  return Judge{anchors_,
               std::move(expected),
               std::move(*floors),
               {around_.clock.now(), std::max(*time_floor, build_time())},
               around_.neighbours};
}

void Refresher::take(Subscription& source, Outcome outcome) {
  source.error.reset();
  if (outcome.unreachable) {
    refuse(source, std::move(*outcome.unreachable), "unreachable");
  } else {
    source.refreshed = around_.clock.now();
    source.held_back.reset();
    if (outcome.offer) {
      take_offer(source, outcome);
    } else {
      source.etag = std::move(outcome.etag);
      source.last_said.clear();
      source.neighbour.clear();
    }
  }
  if (outcome.old) take_old(source, std::move(*outcome.old));
  if (outcome.neighbours_offer) take_neighbours_offer(source, std::move(*outcome.neighbours_offer));
  say_freeze(source);
}

void Refresher::say_freeze(Subscription& source) {
  auto const warning = freeze_warning(source, around_.clock.now());
  bool const said_before = std::exchange(source.freeze_said, warning.has_value());
  if (!warning || said_before) return;
  log_warning("{}: {}", title_of(source), warning->line());
  around_.said(warning->fault);
}

/// What is not accepted now is asked for whole the next time: a CRL, a clock or an operator may change the verdict.
void Refresher::take_offer(Subscription& source, Outcome& outcome) {
  source.etag.clear();
  if (auto& offer = *outcome.offer; !offer) {
    if (offer.error().fault == Fault::equivocation) keep_evidence(source, outcome.bytes);
    refuse(source, std::move(offer.error()), "refused");
  } else if (adopt(source, {std::move(*offer), std::move(outcome.bytes), {}})) {
    source.etag = std::move(outcome.etag);
  }
}

/// It counts for what is signed in it. What is old, or worth nothing, says nothing against the source.
void Refresher::take_neighbours_offer(Subscription& source, NeighboursOffer offer) {
  auto const& [copy, verdict] = offer;
  if (verdict) {
    auto const& held = source.document;
    bool const is_newer =
        !held || held.header().epoch != verdict->header().epoch || held.header().serial < verdict->header().serial;
    // The same version signed once more takes nobody's place.
    if (is_newer && adopt(source, {*verdict, copy.bytes, copy.from})) source.error.reset();
  } else if (verdict.error().fault == Fault::equivocation) {
    keep_evidence(source, copy.bytes);
    refuse(source, Error{verdict.error()}.in("neighbour " + copy.from), "refused");
  } else {
    log_info("passed over what neighbour {} has of {}: {}", copy.from, title_of(source), verdict.error().line());
  }
}

/// False if it is held back, or could not be kept.
bool Refresher::adopt(Subscription& source, Offered version) {
  if (auto reason = around_.hold_back(source, version.document)) {
    refuse(source, std::move(*reason), "held back");
    source.held_back = std::move(version);
    return false;
  }
  auto kept = accept(source, std::move(version));
  if (!kept) refuse(source, std::move(kept.error()), "could not keep");
  return kept.has_value();
}

Result<> Refresher::accept_held_back(Subscription& source) {
  if (around_.clock.trouble()) return fail(*around_.clock.trouble());
  if (auto kept = accept(source, *source.held_back); !kept) return kept;
  source.held_back.reset();
  source.error.reset();
  tell_soon();
  return {};
}

/// What was accepted earlier, judged anew.
void Refresher::take_old(Subscription& source, Result<Document> verdict) {
  if (!verdict) return note_old_fault(source, verdict.error());
  if (source.old_fault) {
    log_info("{} gives trust again", title_of(source));
    if (source.error && source.error->fault == source.old_fault->fault) source.error.reset();
  }
  // The same bytes say the same: what was derived from them stays.
  put_in_use(source, source.document ? source.document : std::move(*verdict));
  if (around_.clock.trouble()) return;
  // A document that holds now vouches for the clock: it may not fall behind this moment.
  if (auto raised = around_.state.raise_time_floor(around_.clock.now()); !raised) {
    log_warning("{}", raised.error().line());
  }
}

void Refresher::put_in_use(Subscription& source, Document document) {
  source.document = std::move(document);
  source.old_fault.reset();
  source.stale_since.reset();
}

Result<> Refresher::accept(Subscription& source, Offered version) {
  auto& [document, bytes, neighbour] = version;
  auto const& header = document.header();
  auto kept = around_.state.accept({.key = document.key(),
                                    .floor = document.floor(),
                                    .url = source.settings.url,
                                    .bytes = bytes,
                                    .issued = header.issued,
                                    .accepted = around_.clock.now()});
  if (!kept) return kept;
  source.accepted_name = header.name;
  auto const before = source.document;
  put_in_use(source, std::move(document));
  source.bytes = std::make_shared<std::string const>(std::move(bytes));
  source.neighbour = std::move(neighbour);
  source.last_said.clear();
  say_accepted(source, before);
  return {};
}

void Refresher::say_accepted(Subscription const& source, Document const& before) {
  auto const& header = source.document.header();
  auto const from = source.neighbour.empty() ? "" : fmt::format(", from neighbour {}", source.neighbour);
  log_info("accepted {}: serial {}, signed by {}, valid until {}{}", title_of(source), header.serial,
           printable(source.document.signer().text()), format_time(header.expires), from);
  if (auto const catalogue = source.document.as<document::Catalogue>()) {
    say_refused(source, catalogue->content().refused);
  }
  if (source.settings.kind == document::Kind::endorser_list) say_differences(source, before);
}

/// The first few of each kind: an endorser with thousands of broken entries shall not fill the journal.
void Refresher::say_refused(Subscription const& source, std::vector<document::RefusedEntry> const& entries) {
  std::map<Fault, unsigned> counts;
  for (auto const& refused : entries) {
    around_.said(refused.error.fault);
    if (++counts[refused.error.fault] > most_lines) continue;
    log_warning("refused image {} of {}: {}", printable(refused.name), title_of(source), refused.error.line());
  }
  for (auto const& [fault, count] : counts) {
    if (count > most_lines) {
      log_warning("refused {} more images of {}: {}", count - most_lines, title_of(source), word(fault));
    }
  }
}

void Refresher::refuse(Subscription& source, Error error, std::string_view what) {
  auto text = fmt::format("{} {}: {}; {}", what, title_of(source), error.line(),
                          source.document ? "keeping the accepted one" : "nothing from it is used");
  if (text != source.last_said) {
    log_warning("{}", text);
    source.last_said = std::move(text);
  }
  around_.said(error.fault);
  source.error = std::move(error);
}

/// Of a signer who is known to be revoked, that the revocation list is stale is no better news.
void Refresher::note_old_fault(Subscription& source, Error const& found) {
  bool const has_ended = source.old_fault && ends_trust(source.old_fault->fault);
  auto const fault = has_ended && !ends_trust(found.fault) ? *source.old_fault : found;
  bool const is_news = !source.old_fault || source.old_fault->fault != fault.fault;
  if (is_news) {
    log_error("{} no longer gives trust: {}{}", title_of(source), fault.line(),
              ends_trust(fault.fault) ? "; its images are withdrawn" : "; nothing new on its word");
    around_.said(fault.fault);
  }
  // How long a document that was expired at the start has been so is not known: long enough.
  bool const long_ago = !source.document && fault.fault == Fault::doc_expired;
  if (!source.stale_since) source.stale_since = long_ago ? TimePoint{} : around_.clock.now();
  if (!source.error) source.error = fault;
  source.old_fault = fault;
}

void Refresher::keep_evidence(Subscription const& source, std::string_view bytes) {
  if (!source.document) return;
  auto const kept = around_.state.keep_evidence(source.document.key(), source.settings.url, bytes, around_.clock.now());
  if (!kept) return log_error("keeping the evidence against {}: {}", title_of(source), kept.error().line());
  if (*kept) {
    log_error("{} was signed twice with serial {}: both versions are in {}", title_of(source),
              source.document.header().serial, (*kept)->native());
  }
}

void Refresher::give_up(std::shared_ptr<Subscription> const& source, Error error) {
  source->answered = true;
  refuse(*source, std::move(error), "could not refresh");
  end_await(*source);
  schedule_next(source);
  tell_soon();
}

void Refresher::await_answer(Subscription& source) {
  loading_ += source.awaited ? 0 : 1;
  source.awaited = true;
}

void Refresher::end_await(Subscription& source) {
  loading_ -= std::exchange(source.awaited, false) ? 1 : 0;
}

void Refresher::schedule_next(std::shared_ptr<Subscription> const& source) {
  auto delay = source->error ? source->schedule.after_failure(dice()) : source->schedule.after_success(dice());
  if (std::exchange(source->again, false)) delay = {};
  source->next_refresh = around_.clock.now() + std::chrono::ceil<std::chrono::seconds>(delay);
  source->timer.expires_after(delay);
  source->timer.async_wait([self = weak_from_this(), source](boost::system::error_code error) {
    auto const alive = self.lock();
    if (!error && alive && !source->removed) alive->refresh(source);
  });
}

void Refresher::tell_soon() {
  boost::asio::post(around_.loop, [self = shared_from_this()] { self->tell(); });
}

/// No plan is made of half the documents: what is not verified yet must not look like what is withdrawn.
void Refresher::tell() {
  if (loading_ == 0) around_.changed();
}

}  // namespace imageswarm::coordinator
