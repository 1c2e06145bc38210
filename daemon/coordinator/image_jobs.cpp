#include "daemon/coordinator/image_steps.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/reuse/fill.hpp"
#include "daemon/reuse/zero_chunks.hpp"

// The jobs of an image, each with what is made of its result.

namespace imageswarm::coordinator {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Until it is seen whether an image that has to go is still in use.
constexpr std::chrono::seconds in_use_delay{15};

/// With what the sinks have found out.
flow::Want want_of(Record const& record) {
  auto want = record.decision.want;
  for (auto const& sink : record.sinks) {
    if (sink.sink->type() == "glance" && sink.receipt) want.glance_id = sink.receipt->reference;
  }
  return want;
}

SinkRecord* now_in(Record& record, std::shared_ptr<sinks::Sink> const& sink) {
  auto const at = std::ranges::find(record.sinks, sink, &SinkRecord::sink);
  return at == record.sinks.end() ? nullptr : &*at;
}

}  // namespace

/// Runs `job` on its pool for one image; `then(steps, record, result)` on the loop, unless the image is gone by then.
template <class Job, class Then>
void ImageSteps::run(Record& record, Load load, Job job, Then then) {
  record.in_flight = true;
  count(load, +1);
  pool_for(load).run(
      std::move(job),
      [self = shared_from_this(), id = record.id(), load, then = std::move(then)](auto result) mutable {
        self->count(load, -1);
        if (auto const at = self->records.find(id); at != self->records.end()) {
          at->second.in_flight = false;
          then(*self, at->second, std::move(result));
        }
        self->advance_all();
      },
      record.cancel);
}

Workers& ImageSteps::pool_for(Load load) {
  if (load == Load::retiring) return around.retirement_workers;
  return load == Load::ahead ? around.ahead_workers : around.workers;
}

void ImageSteps::count(Load load, int jobs) {
  if (load == Load::light || load == Load::heavy) jobs_ += jobs;
  if (load == Load::heavy) heavy_jobs_ += jobs;
  if (load == Load::ahead) ahead_jobs_ += jobs;
}

void ImageSteps::start_locate(Record& record) {
  if (!record.in_place && !record.has_files && has_newer_active(record)) {  // asks for no more than there is
    if (auto const room = make_room(record); !room) return found_no_room(record, room.error());
  }
  run(
      record, load_of(record, {Step::locate}),
      [want = record.decision.want, store = store,
       &neighbours = around.neighbours](std::stop_token const& stop) -> Result<Located> {
        auto located = locate(want, store.directory, store.seed_from, neighbours, stop);
        if (!located || located->in_place) return located;
        auto const lacking = lacking_room(want, located->zeros, store.directory);
        if (!lacking) return fail(lacking.error());
        located->lacking = *lacking;
        return located;
      },
      [](ImageSteps& self, Record& now, Result<Located> located) {
        if (!located) return self.failed(now, now.retry, located.error());
        now.located = std::move(*located);
        if (!now.located->in_place && (!now.has_files || now.located->lacking.value > 0)) {
          if (auto const room = self.make_room(now); !room) {
            now.located.reset();
            return self.found_no_room(now, room.error());
          }
        }
        now.in_place = now.located->in_place;
        now.has_files = !now.in_place;
        self.succeeded(now.retry);
      });
}

/// Whatever was verified here once may hold pieces of it; each is hashed again on its way.
std::vector<reuse::Known> ImageSteps::others_here(Record const& record) const {
  std::vector<reuse::Known> others;
  for (auto const& [id, held] : ledger.all_held()) {
    if (id == record.id() || !held.whole) continue;
    others.push_back(
        {held.want.image.torrent, paths_of(store.directory, held.want.image).torrent, held.artefact.parent_path()});
  }
  return others;
}

/// What has a resume file has been in the swarm, which knows better.
void ImageSteps::start_fill(Record& record) {
  run(
      record, Load::heavy,
      [torrent = record.located->torrent, directory = record.located->directory, known = others_here(record),
       resume = paths_of(store.directory, record.decision.want.image).resume,
       chunks = record.decision.want.image.torrent.chunks](std::stop_token const& stop) -> Result<reuse::Filled> {
        std::error_code error;
        if (std::filesystem::exists(resume, error)) return reuse::Filled{};
        auto const wanted = torrent::piece_hashes_of(torrent);
        if (chunks) {
          if (auto made = reuse::make_zero_chunks(directory, wanted, chunks->size); !made) {
            return fail(std::move(made.error()));
          }
        }
        return reuse::fill(directory, wanted, reuse::sources_among(known), stop);
      },
      [](ImageSteps& self, Record& now, Result<reuse::Filled> filled) {
        if (!filled) return self.failed(now, now.retry, filled.error());
        if (!now.located) return;  // another torrent came
        if (filled->bytes.value > 0) {
          log_info("{}: {} of {} are on this host already", now.title(), human(filled->bytes),
                   human(now.decision.want.image.torrent.content_size));
        }
        now.located->pieces_here = std::move(filled->pieces);
        self.succeeded(now.retry);
      });
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
        self.verified(now, std::move(verified), file);
      });
}

/// Once for each time that it joins the swarm. What goes wrong in the sink is looked into only if the artefact is
/// right.
void ImageSteps::start_ahead(Record& record) {
  auto const arrival = std::exchange(record.arrival, nullptr);
  auto const file = artefact_of(record);
  if (!hold(record, file, false)) return;  // what a crash leaves in a sink must be known
  auto const at = std::ranges::find_if(
      record.sinks, [](SinkRecord const& sink) { return !sink.receipt && !sink.superseded && sink.retry.due(); });
  auto const sink = at == record.sinks.end() ? nullptr : at->sink;
  if (sink) at->working = true;
  record.moved->store(0);

  struct Outcome {
    Result<flow::VerifiedArtefact> artefact;
    std::optional<Result<flow::Receipt>> receipt;
  };
  run(
      record, Load::ahead,
      [file, sink, want = want_of(record), arrival, moved = record.moved](std::stop_token const& stop) -> Outcome {
        auto const artefact = flow::Artefact::open(file, want.image, arrival, stop);
        if (!artefact) return {fail(artefact.error()), {}};
        std::optional<Result<flow::Receipt>> receipt;
        if (sink) {
          receipt = sink->put(
              want, *artefact, [moved](ByteCount so_far) { moved->store(so_far.value); }, stop);
        }
        return {artefact->verified(), std::move(receipt)};
      },
      [file, sink](ImageSteps& self, Record& now, Outcome outcome) {
        auto* const fed = now_in(now, sink);
        if (fed) fed->working = false;
        bool const right = outcome.artefact.has_value();
        self.verified(now, std::move(outcome.artefact), file);
        if (fed && right && outcome.receipt) self.was_put(now, *fed, std::move(*outcome.receipt));
      });
}

void ImageSteps::start_check(Record& record, std::size_t index) {
  auto const& sink = record.sinks[index].sink;
  run(
      record, load_of(record, {Step::check_sink, index}),
      [sink, want = want_of(record), known = record.sinks[index].receipt](std::stop_token const& stop) {
        return sink->find(want, known ? &*known : nullptr, stop);
      },
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
      [sink = sink.sink, want = want_of(record), artefact = *record.verified,
       moved = record.moved](std::stop_token const& stop) {
        return sink->put(
            want, artefact, [moved](ByteCount so_far) { moved->store(so_far.value); }, stop);
      },
      [sink = sink.sink](ImageSteps& self, Record& now, Result<flow::Receipt> receipt) {
        if (auto* const at = now_in(now, sink)) self.was_put(now, *at, std::move(receipt));
      });
}

void ImageSteps::was_put(Record& record, SinkRecord& sink, Result<flow::Receipt> receipt) {
  if (!receipt) return sink_failed(record, sink, receipt.error());
  arrived(record, sink, std::move(*receipt));
}

void ImageSteps::start_retire(Record& record, std::size_t index) {
  auto const why = retirement_of(record.decision.verdict).value_or(flow::Retirement::superseded);
  auto const departure = departures.all().find(record.id());
  auto const& want = departure == departures.all().end() ? record.decision.want : departure->second.want;
  run(
      record, Load::retiring,
      [sink = record.sinks[index].sink, want, why](std::stop_token const& stop) {
        return sink->retire(want, why, stop);
      },
      [sink = record.sinks[index].sink, why](ImageSteps& self, Record& now, Result<flow::Retired> done) {
        auto* const at = now_in(now, sink);
        if (!at) return;
        if (!done) return self.sink_failed(now, *at, done.error());
        if (auto const other = retirement_of(now.decision.verdict); other && *other != why) return;  // once more
        self.departures.retired(now.id(), sink->name(), *done, self.around.clock.now());
        self.succeeded(at->retry);
        if (done->effect == flow::Effect::in_use) {
          at->retry.not_before = SteadyClock::now() + in_use_delay;
          return;
        }
        if (!self.forget_receipt(now, *at)) return;
        at->owed = false;
        at->fact = SinkFact::absent;
        log_info("{} is {}: {} in {}", now.title(), flow::name_of(why), flow::name_of(done->effect), sink->name());
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
        self.departures.discarded(now.id(), self.around.clock.now());
        self.succeeded(now.retry);
        self.room_was_made();
      });
}

}  // namespace imageswarm::coordinator
