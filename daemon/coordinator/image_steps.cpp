#include "daemon/coordinator/image_steps.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::coordinator {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Jobs that read whole images: as many as a small hypervisor has cores to spare.
constexpr unsigned max_heavy_jobs = 2;
/// While another host uploads to the same Glance.
constexpr std::chrono::seconds busy_delay{2};

SinkRecord* now_in(Record& record, std::shared_ptr<sinks::Sink> const& sink) {
  auto const at = std::ranges::find(record.sinks, sink, &SinkRecord::sink);
  return at == record.sinks.end() ? nullptr : &*at;
}

bool same_torrent(document::Torrent const& a, document::Torrent const& b) {
  return a.file_sha256 == b.file_sha256 && a.content_name == b.content_name;
}

}  // namespace

// ---- what is decided

void ImageSteps::take_stock(Record& record) {
  std::error_code error;
  if (auto const* kept = ledger.held(record.id())) {
    record.held = true;
    record.in_place = kept->in_place;
    record.complete = std::filesystem::exists(kept->artefact, error);
  }
  auto const paths = paths_of(store.directory, record.decision.want.image);
  record.has_files = !record.in_place && std::filesystem::exists(paths.directory, error);
  attach_sinks(record);
}

void ImageSteps::attach_sinks(Record& record) {
  record.sinks.clear();
  for (auto const& sink : sinks) {
    auto receipt = ledger.receipt(record.id(), sink->name());
    auto const fact = receipt ? SinkFact::unchecked : SinkFact::unknown;
    record.sinks.push_back({.sink = sink, .fact = fact, .receipt = std::move(receipt), .retry = {}});
  }
}

void ImageSteps::take_decision(Record& record, selection::Decision decision) {
  auto const before = std::exchange(record.decision, std::move(decision));
  auto const& now = record.decision;
  bool const was_selected = before.verdict == selection::Verdict::selected;
  bool const other_torrent =
      record.located && record.selected() && !same_torrent(before.want.image.torrent, now.want.image.torrent);
  if (other_torrent || (was_selected && !record.selected())) {
    record.cancel.request_stop();
    record.cancel = {};
    record.verified.reset();  // closes the descriptor, so that a removed file gives its space back
  }
  if (before.verdict != now.verdict || other_torrent) {
    record.retry = {};
    for (auto& sink : record.sinks) sink.retry = {};
  }
  if (other_torrent) {
    if (record.joined) leave(record);
    record.located.reset();
    record.complete = false;
  } else if (record.joined && record.selected() &&
             (before.want.trackers != now.want.trackers || before.want.web_seeds != now.want.web_seeds)) {
    join(record);
  }
}

// ---- one step

void ImageSteps::advance_all() {
  for (auto& [id, record] : records) advance(record);
}

void ImageSteps::advance(Record& record) {
  for (;;) {
    auto const next = next_step(facts_of(record, paused));
    if (next.step == Step::leave) {  // also while a job is under way: what is recalled stops at once
      leave(record);
      continue;
    }
    if (record.in_flight) return;
    if (!may_start(load_of(record, next))) return;
    switch (next.step) {
      case Step::none:
      case Step::leave:
        return release_if_nothing_is_left(record);
      case Step::join:
        if (!join(record)) return;
        break;
      case Step::locate:
        return start_locate(record);
      case Step::verify:
        return start_verify(record);
      case Step::check_sink:
        return start_check(record, next.sink);
      case Step::put:
        return start_put(record, next.sink);
      case Step::retire:
        return start_retire(record, next.sink);
      case Step::discard:
        return start_discard(record);
    }
  }
}

/// What is no job counts as one that may start at any time. A directory is asked by reading its file.
ImageSteps::Load ImageSteps::load_of(Record const& record, Next const& next) {
  switch (next.step) {
    case Step::locate:
    case Step::verify:
    case Step::put:
      return Load::heavy;
    case Step::check_sink:
      return record.sinks[next.sink].sink->type() == "directory" ? Load::heavy : Load::light;
    case Step::none:
    case Step::join:
    case Step::leave:
    case Step::retire:
    case Step::discard:
      break;
  }
  return Load::retiring;
}

bool ImageSteps::may_start(Load load) const {
  if (load == Load::retiring) return true;
  if (load == Load::heavy && (heavy_jobs_ >= max_heavy_jobs || paused)) return false;
  return jobs_ < around.workers.threads();
}

/// Runs `job` on the pool for one image; `then(steps, record, result)` on the loop, unless the image is gone by then.
template <class Job, class Then>
void ImageSteps::run(Record& record, Load load, Job job, Then then) {
  record.in_flight = true;
  bool const retiring = load == Load::retiring;
  jobs_ += retiring ? 0 : 1;
  heavy_jobs_ += load == Load::heavy ? 1 : 0;
  auto& pool = retiring ? around.retirement_workers : around.workers;
  pool.run(
      std::move(job),
      [self = shared_from_this(), id = record.id(), load, retiring, then = std::move(then)](auto result) mutable {
        self->jobs_ -= retiring ? 0 : 1;
        self->heavy_jobs_ -= load == Load::heavy ? 1 : 0;
        if (auto const at = self->records.find(id); at != self->records.end()) {
          at->second.in_flight = false;
          then(*self, at->second, std::move(result));
        }
        self->advance_all();
      },
      record.cancel);
}

void ImageSteps::start_locate(Record& record) {
  if (auto const room = check_budget(record); !room) return failed(record, record.retry, room.error());
  run(
      record, Load::heavy,
      [want = record.decision.want, store = store](std::stop_token const& stop) -> Result<Located> {
        auto located = locate(want, store.directory, store.seed_from, stop);
        if (!located || located->in_place) return located;
        if (auto room = check_room(want, store.directory); !room) return fail(std::move(room.error()));
        return located;
      },
      [](ImageSteps& self, Record& now, Result<Located> located) {
        if (!located) return self.failed(now, now.retry, located.error());
        now.in_place = located->in_place;
        now.has_files = !now.in_place;
        now.located = std::move(*located);
        self.succeeded(now.retry);
      });
}

/// The store's budget, for what this host has fetched itself.
Result<> ImageSteps::check_budget(Record const& record) const {
  if (!store.size) return {};
  auto needed = record.decision.want.image.torrent.content_size;
  for (auto const& [id, other] : records) {
    if (&other != &record && other.has_files) needed += other.decision.want.image.torrent.content_size;
  }
  if (needed <= *store.size) return {};
  return fail(Fault::disk_full,
              "with this image the store would hold {}, and store.size is {}; raise it or keep fewer images",
              human(needed), human(*store.size));
}

bool ImageSteps::join(Record& record) {
  auto const paths = paths_of(store.directory, record.decision.want.image);
  auto const added = around.swarm.add({.image_id = record.id(),
                                       .torrent = record.located->torrent,
                                       .directory = record.located->directory,
                                       .resume_file = paths.resume,
                                       .in_place = record.located->in_place,
                                       .trackers = record.decision.want.trackers,
                                       .web_seeds = record.decision.want.web_seeds});
  if (!added) failed(record, record.retry, added.error());
  record.joined = added.has_value();
  return record.joined;
}

void ImageSteps::leave(Record& record) {
  around.swarm.remove(record.id());
  record.joined = false;
  record.stall.reset();
  record.transfer.download_rate = record.transfer.upload_rate = Rate{0};
  record.transfer.peers = 0;
}

std::filesystem::path ImageSteps::artefact_of(Record const& record) const {
  auto const& image = record.decision.want.image;
  if (record.located) return record.located->directory / image.torrent.content_name;
  auto const* kept = ledger.held(record.id());
  return kept ? kept->artefact : paths_of(store.directory, image).artefact;
}

void ImageSteps::start_verify(Record& record) {
  auto const file = artefact_of(record);
  run(
      record, Load::heavy,
      [file, image = record.decision.want.image](std::stop_token const& stop) {
        return flow::verify_artefact(file, image, stop);
      },
      [file](ImageSteps& self, Record& now, Result<flow::VerifiedArtefact> verified) {
        if (!verified) return self.verification_failed(now, verified.error());
        if (!now.selected() || !self.hold(now, file)) return;
        now.verified = std::move(*verified);
        self.succeeded(now.retry);
      });
}

void ImageSteps::start_check(Record& record, std::size_t index) {
  auto const& sink = record.sinks[index].sink;
  run(
      record, load_of(record, {Step::check_sink, index}),
      [sink, want = record.decision.want](std::stop_token const& stop) { return sink->find(want, stop); },
      [sink](ImageSteps& self, Record& now, Result<std::optional<flow::Receipt>> found) {
        auto* const at = now_in(now, sink);
        if (!at) return;
        if (!found) return self.sink_failed(now, *at, found.error());
        if (*found) return self.arrived(now, *at, std::move(**found));
        if (at->receipt) {
          log_warning("{} is no longer in {}; putting it there again", now.title(), sink->name());
          if (!self.forget_receipt(now, *at)) return;
        }
        at->fact = SinkFact::absent;  // what made the last `put` fail is not over yet: its back-off goes on
      });
}

void ImageSteps::start_put(Record& record, std::size_t index) {
  auto& sink = record.sinks[index];
  sink.working = true;
  record.moved->store(0);
  run(
      record, Load::heavy,
      [sink = sink.sink, want = record.decision.want, artefact = *record.verified,
       moved = record.moved](std::stop_token const& stop) {
        return sink->put(
            want, artefact, [moved](ByteCount so_far) { moved->store(so_far.value); }, stop);
      },
      [sink = sink.sink](ImageSteps& self, Record& now, Result<flow::Receipt> receipt) {
        auto* const at = now_in(now, sink);
        if (!at) return;
        if (!receipt) return self.sink_failed(now, *at, receipt.error());
        self.arrived(now, *at, std::move(*receipt));
      });
}

void ImageSteps::start_retire(Record& record, std::size_t index) {
  auto const& sink = record.sinks[index];
  auto const why = *retirement_of(record.decision.verdict);
  run(
      record, Load::retiring,
      [sink = sink.sink, want = record.decision.want, why](std::stop_token const& stop) {
        return sink->retire(want, why, stop);
      },
      [sink = sink.sink, why](ImageSteps& self, Record& now, Result<flow::Retired> done) {
        auto* const at = now_in(now, sink);
        if (!at || !at->receipt) return;
        if (!done) return self.sink_failed(now, *at, done.error());
        auto const reference = at->receipt->reference;
        if (!self.forget_receipt(now, *at)) return;
        log_info("{} is {} and out of use in {} ({})", now.title(), flow::name_of(why), sink->name(),
                 printable(reference));
        self.succeeded(at->retry);
      });
}

void ImageSteps::start_discard(Record& record) {
  auto const paths = paths_of(store.directory, record.decision.want.image);
  record.located.reset();
  record.verified.reset();
  run(
      record, Load::retiring,
      [paths](std::stop_token const&) -> Result<> {
        std::error_code error;
        for (auto const& path : {paths.directory, paths.torrent, paths.resume}) {
          std::filesystem::remove_all(path, error);
          if (error) return fail(errno_error(error.value(), "removing", path));
        }
        return {};
      },
      [](ImageSteps& self, Record& now, Result<> done) {
        if (!done) return self.failed(now, now.retry, done.error());
        now.complete = now.has_files = false;
        self.succeeded(now.retry);
      });
}

// ---- results

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

/// The pieces were right and the whole is not, or the file was changed since: it is fetched anew.
void ImageSteps::verification_failed(Record& record, Error error) {
  bool const wrong = error.fault == Fault::hash_mismatch || error.fault == Fault::not_found;
  failed(record, record.retry, std::move(error));
  if (!wrong) return;
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
    if (auto const kept = ledger.record(receipt); !kept) return sink_failed(record, sink, kept.error());
    log_info("{} is in {} as {}{}", record.title(), sink.sink->name(), printable(receipt.reference),
             receipt.uploaded_here ? "" : ", found there");
    sink.receipt = std::move(receipt);
  }
  sink.fact = SinkFact::present;
  succeeded(sink.retry);
  if (is_news && record.active()) around.arrived();
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

bool ImageSteps::hold(Record& record, std::filesystem::path const& file) {
  auto const* const kept = ledger.held(record.id());
  if (record.held && kept && kept->artefact == file) return true;
  auto const held = ledger.hold({record.decision.want, file, record.in_place, around.clock.now()});
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

// ---- the swarm

void ImageSteps::on_swarm_event(Record& record, swarm::Event const& event) {
  switch (event.kind) {
    case swarm::Event::Kind::complete:
      record.complete = true;
      record.stall.reset();
      // Fetched anew after a wrong digest, it is looked at once more at once; after that the torrent itself is wrong.
      if (!record.retry.refused() || record.retry.failures < 2) record.retry.not_before = {};
      break;
    case swarm::Event::Kind::recovered:
      record.stall.reset();
      if (!record.retry.refused()) succeeded(record.retry);
      break;
    case swarm::Event::Kind::stalled:
      if (!record.stall) log_warning("image {}: {}", record.title(), event.error.line());
      around.said(event.error.fault);
      record.stall = event.error;
      break;
    case swarm::Event::Kind::failed:
      if (event.error.fault == Fault::hash_mismatch) {
        verification_failed(record, event.error);
      } else {
        failed(record, record.retry, event.error);
      }
      break;
  }
  advance(record);
}

void ImageSteps::look_for_room() {
  bool room = false;
  for (auto& [id, record] : records) {
    auto& retry = record.retry;
    bool const was_full = record.joined && retry.error && retry.error->fault == Fault::disk_full;
    if (!was_full || !retry.due()) continue;
    if (auto const enough = check_room(record.decision.want, store.directory); !enough) {
      failed(record, retry, enough.error());
      continue;
    }
    retry.error.reset();
    room = true;
  }
  if (room) around.swarm.resume_after_disk_full();
}

}  // namespace imageswarm::coordinator
