#include "daemon/coordinator/images.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "common/base/log.hpp"
#include "daemon/coordinator/image_steps.hpp"

namespace imageswarm::coordinator {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// How often a sink is asked whether it still has what a receipt says, and looks after what is over.
constexpr std::chrono::hours recheck_interval{1};

}  // namespace

struct Images::Impl {
  explicit Impl(Surroundings surroundings) : steps{std::make_shared<ImageSteps>(std::move(surroundings))} {}

  std::shared_ptr<ImageSteps> steps;
  std::vector<Uuid> order;  ///< of the plan, for status
  bool swept = false;
  SteadyClock::time_point next_recheck = SteadyClock::now() + recheck_interval;
  SteadyClock::time_point next_tending{};

  /// What is in no plan any more is not held either, so nothing of it is left to be looked after.
  void forget_unplanned() {
    std::set<Uuid> const planned{order.begin(), order.end()};
    std::erase_if(steps->records, [&](auto const& entry) {
      return !entry.second.in_flight && !entry.second.joined && !planned.contains(entry.first);
    });
  }

  /// Once after the start: files of images that left their catalogue while the daemon was not running.
  void sweep() {
    std::set<std::string> known;
    for (auto const& [id, record] : steps->records) known.insert(id.text());
    auto strangers = files_of_strangers(steps->store.directory, known);
    steps->around.workers.run(
        [strangers = std::move(strangers)](std::stop_token const&) -> Result<> {
          std::error_code error;
          for (auto const& path : strangers) {
            std::filesystem::remove_all(path, error);
            if (error) return fail(errno_error(error.value(), "removing", path));
            log_info("removed {}: its image is in no catalogue any more", path.native());
          }
          return {};
        },
        [](Result<> done) {
          if (!done) log_warning("cleaning up the store: {}", done.error().line());
        });
  }

  void tend_sinks() {
    next_tending = SteadyClock::now() + recheck_interval;
    for (auto const& sink : steps->sinks) {
      steps->around.workers.run([sink](std::stop_token const& stop) { return sink->tend(stop); },
                                [name = sink->name()](Result<> done) {
                                  if (!done) log_warning("looking after {}: {}", name, done.error().line());
                                });
    }
  }

  void recheck_sinks() {
    next_recheck = SteadyClock::now() + recheck_interval;
    for (auto& [id, record] : steps->records) {
      for (auto& sink : record.sinks) {
        if (sink.fact == SinkFact::present) sink.fact = SinkFact::unchecked;
      }
    }
  }
};

Images::Images(Surroundings surroundings) : impl_{std::make_shared<Impl>(std::move(surroundings))} {}
Images::~Images() = default;

Result<> Images::load() {
  auto& steps = *impl_->steps;
  return steps.ledger.load().and_then([&] { return steps.departures.load(steps.around.clock.now()); });
}

void Images::announce_departures() {
  impl_->steps->announce_all();
}

void Images::configure(flow::StoreSettings const& store, std::vector<std::shared_ptr<sinks::Sink>> sinks) {
  auto& steps = *impl_->steps;
  steps.store = store;
  steps.sinks = std::move(sinks);
  for (auto& [id, record] : steps.records) steps.attach_sinks(record);
}

void Images::carry_out(selection::Plan plan, bool everything_known) {
  auto& steps = *impl_->steps;
  steps.add_derived(plan);
  impl_->order.clear();
  for (auto& decision : plan.decisions) {
    auto const id = decision.want.image.image_id;
    impl_->order.push_back(id);
    auto const [at, is_new] = steps.records.try_emplace(id);
    if (is_new) {
      at->second.decision = std::move(decision);
      steps.take_stock(at->second);
    } else {
      steps.take_decision(at->second, std::move(decision));
    }
  }
  impl_->forget_unplanned();
  if (everything_known) steps.forget_announced();
  if (everything_known && !std::exchange(impl_->swept, true)) impl_->sweep();
  steps.advance_all();
  steps.announce_all();
}

void Images::on_swarm_event(swarm::Event const& event) {
  auto& records = impl_->steps->records;
  auto const at = records.find(event.image_id);
  if (at != records.end() && at->second.joined) impl_->steps->on_swarm_event(at->second, event);
}

void Images::read_transfers() {
  auto& steps = *impl_->steps;
  for (auto& status : steps.around.swarm.statuses()) {
    auto const at = steps.records.find(status.image_id);
    if (at != steps.records.end() && at->second.joined) at->second.transfer = status;
  }
  steps.around.swarm.request_statuses();
}

void Images::tick() {
  read_transfers();
  impl_->steps->look_for_room();
  if (SteadyClock::now() >= impl_->next_recheck) impl_->recheck_sinks();
  if (SteadyClock::now() >= impl_->next_tending) impl_->tend_sinks();
  impl_->steps->advance_all();
  impl_->steps->announce_all();
}

void Images::pause(bool paused) {
  impl_->steps->paused = paused;
  impl_->steps->advance_all();
}

std::vector<selection::Held> Images::held() const {
  std::map<Uuid, flow::Want> wants;
  for (auto const& [id, record] : impl_->steps->records) {
    if (record.joined || record.has_files) wants.emplace(id, record.decision.want);
  }
  for (auto const& [id, image] : impl_->steps->ledger.all_held()) wants.emplace(id, image.want);
  std::vector<selection::Held> values;
  for (auto& [id, want] : wants) {
    if (!want.derived_from) values.push_back(std::move(want));
  }
  return values;
}

std::vector<selection::Departed> Images::departed() const {
  return impl_->steps->departures.for_selection();
}

std::vector<state::Departure> Images::departures() const {
  std::vector<state::Departure> rows;
  for (auto const& [id, departure] : impl_->steps->departures.all()) {
    if (departure.why == flow::Retirement::superseded) continue;
    auto& row = rows.emplace_back(departure);
    auto const record = impl_->steps->records.find(id);
    if (record == impl_->steps->records.end()) continue;
    for (auto const& sink : record->second.sinks) {
      auto const at = std::ranges::find(row.sinks, sink.sink->name(), &state::DepartedSink::name);
      if (at != row.sinks.end()) at->error = sink.retry.error;
    }
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, &state::Departure::since);
  return rows;
}

Result<Derivable> Images::derivable(Uuid const& image_id) const {
  return impl_->steps->derivable(image_id);
}

Result<> Images::hold_derived(flow::Want const& want) {
  return impl_->steps->hold_derived(want);
}

Result<> Images::record_derived(flow::Want const& want, flow::Receipt receipt) {
  return impl_->steps->record_derived(want, std::move(receipt));
}

std::vector<std::shared_ptr<sinks::Sink>> const& Images::sinks() const {
  return impl_->steps->sinks;
}

std::set<Uuid> Images::active() const {
  std::set<Uuid> ids;
  for (auto const& [id, record] : impl_->steps->records) {
    if (record.active()) ids.insert(id);
  }
  return ids;
}

std::set<Uuid> Images::present_in(std::string_view sink) const {
  std::set<Uuid> ids;
  for (auto const& receipt : impl_->steps->ledger.receipts()) {
    if (receipt.sink == sink) ids.insert(receipt.image_id);
  }
  return ids;
}

std::vector<flow::Receipt> Images::receipts() const {
  return impl_->steps->ledger.receipts();
}

std::vector<state::ImageStatus> Images::statuses() const {
  std::vector<state::ImageStatus> rows;
  auto const& records = impl_->steps->records;
  for (auto const& id : impl_->order) {
    if (auto const at = records.find(id); at != records.end()) rows.push_back(status_of(at->second));
  }
  return rows;
}

bool Images::busy() const {
  return std::ranges::any_of(impl_->steps->records, [](auto const& entry) {
    auto const& record = entry.second;
    auto const* const trouble = record.trouble();
    bool const waits_long = trouble && trouble->refused();
    return record.in_flight || (trouble && !waits_long) || (record.selected() && !record.active() && !waits_long);
  });
}

bool Images::all_active() const {
  return std::ranges::all_of(impl_->steps->records,
                             [](auto const& entry) { return !entry.second.selected() || entry.second.active(); });
}

bool Images::settled() const {
  return std::ranges::all_of(impl_->steps->records, [](auto const& entry) {
    auto const& record = entry.second;
    if (record.in_flight) return false;
    if (!record.selected() || record.active() || record.stall) return true;
    if (!record.complete && !record.decision.may_fetch) return true;
    auto const* const trouble = record.trouble();
    return trouble && trouble->lasts();
  });
}

std::size_t Images::selected() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(impl_->steps->records, [](auto const& entry) { return entry.second.selected(); }));
}

}  // namespace imageswarm::coordinator
