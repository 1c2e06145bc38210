#include "daemon/coordinator/images.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/coordinator/ledger.hpp"
#include "daemon/coordinator/record.hpp"

namespace imageswarm::coordinator {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Jobs that read whole images: as many as the small hypervisor has cores to spare.
constexpr unsigned max_heavy_jobs = 2;
/// How often a sink is asked whether it still has what a receipt says.
constexpr std::chrono::hours recheck_interval{1};
/// While another host uploads to the same Glance.
constexpr std::chrono::seconds busy_delay{2};

bool is_heavy(Step step) {
  return step == Step::locate || step == Step::verify || step == Step::put;
}

}  // namespace

struct Images::Impl : std::enable_shared_from_this<Impl> {
  explicit Impl(Surroundings surroundings) : around{std::move(surroundings)}, ledger{around.state} {}

  Surroundings around;
  flow::StoreSettings store;
  std::vector<std::shared_ptr<sinks::Sink>> sinks;
  std::map<Uuid, Record> records;
  std::vector<Uuid> order;  ///< of the plan, for status
  Ledger ledger;
  unsigned heavy_jobs = 0;
  bool paused = false;
  bool swept = false;
  SteadyClock::time_point next_recheck = SteadyClock::now() + recheck_interval;

  // ---- what the plan says

  void carry_out(selection::Plan plan, bool everything_known) {
    order.clear();
    for (auto& decision : plan.decisions) {
      auto const id = decision.want.image.image_id;
      order.push_back(id);
      auto const [at, is_new] = records.try_emplace(id);
      at->second.decision = std::move(decision);
      if (is_new) take_stock(at->second);
    }
    forget_unplanned({order.begin(), order.end()});
    if (everything_known && !std::exchange(swept, true)) sweep();
    advance_all();
  }

  /// What is in no plan any more is not held either, so nothing of it is left to be looked after.
  void forget_unplanned(std::set<Uuid> const& planned) {
    std::erase_if(records, [&](auto const& entry) {
      return !entry.second.in_flight && !entry.second.joined && !planned.contains(entry.first);
    });
  }

  /// Once after the start: files of images that left their catalogue while the daemon was not running.
  void sweep() {
    std::set<std::string> known;
    for (auto const& [id, record] : records) known.insert(id.text());
    around.workers.run([known = std::move(known), directory = store.directory](
                           std::stop_token const&) { return remove_strangers(directory, known); },
                       [](Result<> done) {
                         if (!done) log_warning("cleaning up the store: {}", done.error().line());
                       });
  }

  /// What earlier runs left of a new record.
  void take_stock(Record& record) {
    auto const paths = paths_of(store.directory, record.decision.want.image);
    if (auto const* kept = ledger.held(record.id())) {
      record.held = record.complete = true;
      record.in_place = kept->in_place;
    }
    std::error_code error;
    record.has_files = !record.in_place && std::filesystem::exists(paths.directory, error);
    attach_sinks(record);
  }

  void attach_sinks(Record& record) {
    record.sinks.clear();
    for (auto const& sink : sinks) {
      auto receipt = ledger.receipt(record.id(), sink->name());
      auto const fact = receipt ? SinkFact::unchecked : SinkFact::unknown;
      record.sinks.push_back({.sink = sink, .fact = fact, .receipt = std::move(receipt), .error = {}});
    }
  }

  // ---- one step

  void advance_all() {
    for (auto& [id, record] : records) advance(record);
  }

  void advance(Record& record) {
    while (!record.in_flight && SteadyClock::now() >= record.not_before) {
      auto const next = next_step(facts_of(record, paused));
      if (is_heavy(next.step) && (heavy_jobs >= max_heavy_jobs || paused)) return;
      switch (next.step) {
        case Step::none:
          return;
        case Step::join:
          if (!join(record)) return;
          break;
        case Step::leave:
          leave(record);
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

  /// Runs `job` on the pool for one image; `then(record, result)` on the loop, unless the image is gone by then.
  template <class Job, class Then>
  void run(Record& record, Step step, Job job, Then then) {
    record.in_flight = true;
    heavy_jobs += is_heavy(step) ? 1 : 0;
    around.workers.run(std::move(job), [self = shared_from_this(), id = record.id(), step,
                                        then = std::move(then)](auto result) mutable {
      self->heavy_jobs -= is_heavy(step) ? 1 : 0;
      auto const at = self->records.find(id);
      if (at == self->records.end()) return;
      at->second.in_flight = false;
      then(*self, at->second, std::move(result));
      self->advance_all();
    });
  }

  void start_locate(Record& record) {
    run(
        record, Step::locate,
        [want = record.decision.want, store = store](std::stop_token const& stop) -> Result<Located> {
          auto located = locate(want, store.directory, store.seed_from, stop);
          if (!located || located->in_place) return located;
          if (auto room = check_room(want, store.directory); !room) return fail(std::move(room.error()));
          return located;
        },
        [](Impl& self, Record& now, Result<Located> located) {
          if (!located) return self.failed(now, located.error());
          now.in_place = located->in_place;
          now.has_files = !now.in_place;
          now.located = std::move(*located);
          self.succeeded(now);
        });
  }

  bool join(Record& record) {
    auto const paths = paths_of(store.directory, record.decision.want.image);
    auto const added = around.swarm.add({.image_id = record.id(),
                                         .torrent = record.located->torrent,
                                         .directory = record.located->directory,
                                         .resume_file = paths.resume,
                                         .in_place = record.located->in_place,
                                         .trackers = record.decision.want.trackers,
                                         .web_seeds = record.decision.want.web_seeds});
    if (!added) failed(record, added.error());
    record.joined = added.has_value();
    return record.joined;
  }

  void leave(Record& record) {
    around.swarm.remove(record.id());
    record.joined = false;
    record.stall.reset();
    record.transfer.download_rate = record.transfer.upload_rate = Rate{0};
    record.transfer.peers = 0;
  }

  std::filesystem::path artefact_of(Record const& record) const {
    auto const& image = record.decision.want.image;
    if (record.located) return record.located->directory / image.torrent.content_name;
    auto const* kept = ledger.held(record.id());
    return kept ? kept->artefact : paths_of(store.directory, image).artefact;
  }

  void start_verify(Record& record) {
    auto const file = artefact_of(record);
    run(
        record, Step::verify,
        [file, image = record.decision.want.image](std::stop_token const& stop) {
          return flow::verify_artefact(file, image, stop);
        },
        [file](Impl& self, Record& now, Result<flow::VerifiedArtefact> verified) {
          if (!verified) return self.verification_failed(now, verified.error());
          now.verified = std::move(*verified);
          self.hold(now, file);
          self.succeeded(now);
        });
  }

  /// The pieces were right and the whole is not, or the file was changed since: it is fetched anew.
  void verification_failed(Record& record, Error error) {
    bool const wrong = error.fault == Fault::hash_mismatch || error.fault == Fault::not_found;
    failed(record, std::move(error));
    if (!wrong) return;
    record.complete = false;
    if (record.in_place) {
      if (record.joined) leave(record);
      record.located.reset();
    } else if (record.joined) {
      around.swarm.restart(record.id());
    }
  }

  void hold(Record& record, std::filesystem::path const& file) {
    if (record.held) return;
    auto const held = ledger.hold({record.decision.want, file, record.in_place, around.clock.now()});
    if (!held) return failed(record, held.error());
    record.held = true;
  }

  void start_check(Record& record, std::size_t index) {
    auto& sink = record.sinks[index];
    run(
        record, Step::check_sink,
        [sink = sink.sink, want = record.decision.want](std::stop_token const& stop) { return sink->find(want, stop); },
        [sink = sink.sink](Impl& self, Record& now, Result<std::optional<flow::Receipt>> found) {
          auto* const at = now_in(now, sink);
          if (!at) return;
          if (!found) return self.sink_failed(now, *at, found.error());
          if (*found) return self.arrived(now, *at, std::move(**found));
          if (at->receipt) self.lost(now, *at);
          at->fact = SinkFact::absent;
          self.succeeded(now);
        });
  }

  void start_put(Record& record, std::size_t index) {
    auto& sink = record.sinks[index];
    sink.working = true;
    record.moved->store(0);
    run(
        record, Step::put,
        [sink = sink.sink, want = record.decision.want, artefact = *record.verified,
         moved = record.moved](std::stop_token const& stop) {
          return sink->put(
              want, artefact, [moved](ByteCount so_far) { moved->store(so_far.value); }, stop);
        },
        [sink = sink.sink](Impl& self, Record& now, Result<flow::Receipt> receipt) {
          auto* const at = now_in(now, sink);
          if (!at) return;
          if (!receipt) return self.sink_failed(now, *at, receipt.error());
          self.arrived(now, *at, std::move(*receipt));
        });
  }

  void start_retire(Record& record, std::size_t index) {
    auto const& sink = record.sinks[index];
    auto const why = *retirement_of(record.decision.verdict);
    run(
        record, Step::retire,
        [sink = sink.sink, receipt = *sink.receipt, why](std::stop_token const& stop) {
          return sink->retire(receipt, why, stop);
        },
        [sink = sink.sink, why](Impl& self, Record& now, Result<> done) {
          auto* const at = now_in(now, sink);
          if (!at) return;
          if (!done) return self.sink_failed(now, *at, done.error());
          log_info("{} is {} and out of use in {} ({})", now.title(), flow::name_of(why), at->sink->name(),
                   printable(at->receipt->reference));
          self.forget_receipt(now, *at);
          self.succeeded(now);
        });
  }

  void start_discard(Record& record) {
    auto const paths = paths_of(store.directory, record.decision.want.image);
    record.located.reset();
    record.verified.reset();  // closes the descriptor, so that the space is free
    run(
        record, Step::discard,
        [paths](std::stop_token const&) -> Result<> {
          std::error_code error;
          for (auto const& path : {paths.directory, paths.torrent, paths.resume}) {
            std::filesystem::remove_all(path, error);
            if (error) return fail(errno_error(error.value(), "removing", path));
          }
          return {};
        },
        [](Impl& self, Record& now, Result<> done) {
          if (!done) return self.failed(now, done.error());
          if (auto released = self.ledger.release(now.id()); !released) return self.failed(now, released.error());
          now.held = now.complete = now.has_files = false;
          self.succeeded(now);
        });
  }

  // ---- results

  static SinkRecord* now_in(Record& record, std::shared_ptr<sinks::Sink> const& sink) {
    auto const at = std::ranges::find(record.sinks, sink, &SinkRecord::sink);
    return at == record.sinks.end() ? nullptr : &*at;
  }

  void succeeded(Record& record) {
    record.error.reset();
    record.failures = 0;
    record.not_before = {};
    record.last_said.clear();
  }

  void failed(Record& record, Error error) {
    if (error.fault == Fault::cancelled) return;
    auto const delay = retry_delay(error.fault, ++record.failures);
    record.not_before = SteadyClock::now() + delay;
    around.said(error.fault);
    if (auto const line = error.line(); line != record.last_said) {
      bool const refused = class_of(error.fault) == FaultClass::refused;
      log_warning("{} {}: {}; retrying in {}", refused ? "refused image" : "image", record.title(), line, human(delay));
      record.last_said = line;
    }
    record.error = std::move(error);
  }

  void sink_failed(Record& record, SinkRecord& sink, Error error) {
    sink.working = false;
    if (sink.fact == SinkFact::absent) sink.fact = SinkFact::unknown;  // ask again before the next try
    if (error.fault == Fault::glance_busy) {
      sink.working = true;  // by another host
      sink.error.reset();
      record.error.reset();
      record.not_before = SteadyClock::now() + busy_delay;
      return;
    }
    sink.error = error;
    failed(record, std::move(error).in(sink.sink->name()));
  }

  void arrived(Record& record, SinkRecord& sink, flow::Receipt receipt) {
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
    sink.error.reset();
    succeeded(record);
  }

  void lost(Record& record, SinkRecord& sink) {
    log_warning("{} is no longer in {}; putting it there again", record.title(), sink.sink->name());
    forget_receipt(record, sink);
  }

  void forget_receipt(Record& record, SinkRecord& sink) {
    if (auto const done = ledger.forget(record.id(), sink.sink->name()); !done) return failed(record, done.error());
    sink.receipt.reset();
    sink.fact = SinkFact::unknown;
  }

  // ---- the swarm and time

  void on_swarm_event(swarm::Event const& event) {
    auto const at = records.find(event.image_id);
    if (at == records.end() || !at->second.joined) return;
    auto& record = at->second;
    switch (event.kind) {
      case swarm::Event::Kind::complete:
        record.complete = true;
        record.stall.reset();
        // Fetched anew after a wrong digest, it is looked at once more at once; after that the torrent itself is wrong.
        if (!record.error || class_of(record.error->fault) != FaultClass::refused || record.failures < 2) {
          record.not_before = {};
        }
        break;
      case swarm::Event::Kind::recovered:
        record.stall.reset();
        break;
      case swarm::Event::Kind::stalled:
        if (!record.stall) log_warning("image {}: {}", record.title(), event.error.line());
        around.said(event.error.fault);
        record.stall = event.error;
        break;
      case swarm::Event::Kind::failed:
        failed(record, event.error);
        break;
    }
    advance(record);
  }

  void read_transfers() {
    for (auto& status : around.swarm.statuses()) {
      if (auto const at = records.find(status.image_id); at != records.end() && at->second.joined) {
        at->second.transfer = status;
      }
    }
    around.swarm.request_statuses();
  }

  /// Transfers that a full disk stopped go on as soon as there is room again.
  void look_for_room() {
    bool room = false;
    for (auto& [id, record] : records) {
      bool const was_full = record.joined && record.error && record.error->fault == Fault::disk_full;
      if (!was_full || SteadyClock::now() < record.not_before) continue;
      if (auto const enough = check_room(record.decision.want, store.directory); !enough) {
        failed(record, enough.error());
        continue;
      }
      record.error.reset();
      room = true;
    }
    if (room) around.swarm.resume_after_disk_full();
  }

  void tick() {
    read_transfers();
    look_for_room();
    auto const now = SteadyClock::now();
    if (now >= next_recheck) {
      next_recheck = now + recheck_interval;
      for (auto& [id, record] : records) {
        for (auto& sink : record.sinks) {
          if (sink.fact == SinkFact::present) sink.fact = SinkFact::unchecked;
        }
      }
    }
    advance_all();
  }
};

Images::Images(Surroundings surroundings) : impl_{std::make_shared<Impl>(std::move(surroundings))} {}
Images::~Images() = default;

Result<> Images::load() {
  return impl_->ledger.load();
}

void Images::configure(flow::StoreSettings const& store, std::vector<std::shared_ptr<sinks::Sink>> sinks) {
  impl_->store = store;
  impl_->sinks = std::move(sinks);
  for (auto& [id, record] : impl_->records) impl_->attach_sinks(record);
}

void Images::carry_out(selection::Plan plan, bool everything_known) {
  impl_->carry_out(std::move(plan), everything_known);
}

void Images::read_transfers() {
  impl_->read_transfers();
}

void Images::on_swarm_event(swarm::Event const& event) {
  impl_->on_swarm_event(event);
}

void Images::tick() {
  impl_->tick();
}

void Images::pause(bool paused) {
  impl_->paused = paused;
  impl_->advance_all();
}

std::vector<selection::Held> Images::held() const {
  std::map<Uuid, flow::Want> wants;
  for (auto const& [id, record] : impl_->records) {
    if (record.joined || record.has_files) wants.emplace(id, record.decision.want);
  }
  for (auto const& [id, image] : impl_->ledger.all_held()) wants.emplace(id, image.want);
  std::vector<selection::Held> values;
  for (auto& [id, want] : wants) values.push_back(std::move(want));
  return values;
}

std::vector<flow::Receipt> Images::receipts() const {
  return impl_->ledger.receipts();
}

std::vector<state::ImageStatus> Images::statuses() const {
  std::vector<state::ImageStatus> rows;
  for (auto const& id : impl_->order) {
    if (auto const at = impl_->records.find(id); at != impl_->records.end()) rows.push_back(status_of(at->second));
  }
  return rows;
}

bool Images::busy() const {
  return std::ranges::any_of(impl_->records, [](auto const& entry) {
    auto const& record = entry.second;
    bool const refused = record.error && class_of(record.error->fault) == FaultClass::refused;
    return record.in_flight || (record.error && !refused) || (record.selected() && !record.active() && !refused);
  });
}

bool Images::all_active() const {
  return std::ranges::all_of(impl_->records,
                             [](auto const& entry) { return !entry.second.selected() || entry.second.active(); });
}

bool Images::settled() const {
  constexpr unsigned enough_tries = 3;
  return std::ranges::all_of(impl_->records, [](auto const& entry) {
    auto const& record = entry.second;
    if (record.in_flight) return false;
    if (!record.selected() || record.active()) return true;
    return record.error && (class_of(record.error->fault) == FaultClass::refused || record.failures >= enough_tries);
  });
}

std::size_t Images::selected() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(impl_->records, [](auto const& entry) { return entry.second.selected(); }));
}

}  // namespace imageswarm::coordinator
