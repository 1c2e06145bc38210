#include "daemon/coordinator/image_steps.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/coordinator/events.hpp"

// What a step that succeeded or failed means for the image.

namespace imageswarm::coordinator {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// While another host uploads to the same Glance.
constexpr std::chrono::seconds busy_delay{2};

}  // namespace

void ImageSteps::succeeded(Retry& retry) {
  retry = {};
}

void ImageSteps::failed(Record const& record, Retry& retry, Error error) {
  if (error.fault == Fault::cancelled) return;
  auto const delay = retry_delay(error.fault, ++retry.failures);
  retry.not_before = SteadyClock::now() + delay;
  around.said(error.fault);
  if (auto const line = error.line(); line != retry.last_said) {
    bool const refused = class_of(error.fault) == FaultClass::refused;
    log_warning("{} {}: {}; retrying in {}", refused ? "refused image" : "image", record.title(), line, human(delay));
    retry.last_said = line;
  }
  retry.error = std::move(error);
}

void ImageSteps::verified(Record& record, Result<flow::VerifiedArtefact> artefact, std::filesystem::path const& file) {
  if (!artefact) return verification_failed(record, artefact.error());
  if (!record.selected() || !hold(record, file, true)) return;
  record.verified = std::move(*artefact);
  succeeded(record.retry);
}

/// The pieces were right and the whole is not, or the file was changed since: it is fetched anew.
void ImageSteps::verification_failed(Record& record, Error error) {
  bool const wrong = error.fault == Fault::hash_mismatch || error.fault == Fault::not_found;
  failed(record, record.retry, std::move(error));
  if (!wrong) return;
  record.arrival.reset();  // it knows nothing of what is wrong
  record.complete = false;
  record.verified.reset();
  if (record.in_place) {
    if (record.joined) leave(record);
    record.located.reset();
    record.in_place = false;
    record.retry.not_before = {};  // it is looked for again, and fetched where it is not right
  } else if (record.joined) {
    around.swarm.restart(record.id());
  }
}

/// What its sinks have is not fetched again merely to be seeded; anything else waits for room.
void ImageSteps::found_no_room(Record& record, Error error) {
  record.evicted = record.active() && has_newer_active(record);
  if (!record.evicted) failed(record, record.retry, std::move(error));
}

void ImageSteps::sink_failed(Record& record, SinkRecord& sink, Error error) {
  sink.working = false;
  if (sink.fact == SinkFact::absent) sink.fact = SinkFact::unknown;  // ask again before the next try
  if (error.fault == Fault::glance_busy) {
    sink.retry = {.error = {}, .failures = 0, .not_before = SteadyClock::now() + busy_delay, .last_said = {}};
    sink.working = true;  // by another host
    return;
  }
  failed(record, sink.retry, std::move(error).in(sink.sink->name()));
}

void ImageSteps::arrived(Record& record, SinkRecord& sink, flow::Receipt receipt) {
  sink.working = false;
  receipt.at = around.clock.now();
  bool const is_news = !sink.receipt || sink.receipt->reference != receipt.reference;
  if (is_news) {
    // The event first: if nobody lives to write the receipt, the image is found in the sink again.
    auto before = std::exchange(sink.receipt, receipt);
    auto const fact = std::exchange(sink.fact, SinkFact::present);
    if (auto const kept = announce(record).and_then([&] { return ledger.record(receipt); }); !kept) {
      sink.receipt = std::move(before);
      sink.fact = fact;
      return sink_failed(record, sink, kept.error());
    }
    log_info("{} is in {} as {}{}", record.title(), sink.sink->name(), printable(receipt.reference),
             receipt.uploaded_here ? "" : ", found there");
  }
  sink.fact = SinkFact::present;
  succeeded(sink.retry);
  if (!is_news) return;
  if (sink.sink->type() == "glance") look_for_its_file(record);
  around.arrived();
}

/// Nova looks for it under the ID that Glance has given it, which may be another one than was thought.
void ImageSteps::look_for_its_file(Record& record) {
  for (auto& sink : record.sinks) {
    if (sink.sink->type() == "nova-cache" && sink.fact == SinkFact::present) sink.fact = SinkFact::unchecked;
  }
}

bool ImageSteps::forget_receipt(Record& record, SinkRecord& sink) {
  if (auto const done = ledger.forget(record.id(), sink.sink->name()); !done) {
    failed(record, sink.retry, done.error());
    return false;
  }
  sink.receipt.reset();
  sink.fact = SinkFact::unknown;
  return true;
}

bool ImageSteps::hold(Record& record, std::filesystem::path const& file, bool whole) {
  auto const* const kept = ledger.held(record.id());
  if (record.held && kept && kept->artefact == file && (kept->whole || !whole)) return true;
  auto const held = ledger.hold({record.decision.want, file, record.in_place, around.clock.now(), whole});
  if (!held) failed(record, record.retry, held.error());
  record.held = held.has_value();
  return record.held;
}

/// What is out of every sink and has no files is forgotten; as long as a receipt is left, its entry is needed to retire
/// it.
void ImageSteps::release_if_nothing_is_left(Record& record) {
  if (record.selected() || !record.held || record.has_files) return;
  if (std::ranges::count(ledger.receipts(), record.id(), &flow::Receipt::image_id) > 0) return;
  if (auto const released = ledger.release(record.id()); !released) {
    return failed(record, record.retry, released.error());
  }
  record.held = record.complete = false;
}

Result<> ImageSteps::announce(Record const& record) {
  auto announcement = announcement_of(record);
  if (!announcement || around.hooks.knows(*announcement)) return {};
  return around.hooks.announce(event_of(record, std::move(*announcement)), around.clock.now());
}

void ImageSteps::announce_all() {
  Result<> all;
  auto const note = [&all](Result<> done) {
    if (!done) all = std::move(done);
  };
  for (auto const& [id, departure] : departures.all()) {
    if (around.hooks.knows(announcement_of(departure))) continue;
    note(around.hooks.announce(event_of(departure), around.clock.now()));
  }
  for (auto const& [id, record] : records) note(announce(record));
  auto const line = all ? "" : all.error().line();
  if (!all && line != unannounced_) log_warning("{}; tried again until it is written", line);
  unannounced_ = line;
}

void ImageSteps::forget_announced() {
  auto const announced = around.hooks.announced();
  for (auto const& [id, last] : announced) {
    if (!records.contains(id) && !departures.contains(id)) around.hooks.forget(id);
  }
}

}  // namespace imageswarm::coordinator
