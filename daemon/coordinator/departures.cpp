#include "daemon/coordinator/departures.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::coordinator {
namespace {

using flow::Retirement;

auto named(std::string_view sink) {
  return [sink](state::DepartedSink const& candidate) { return candidate.name == sink; };
}

}  // namespace

bool blocks(Retirement why) {
  return why == Retirement::withdrawn || why == Retirement::recalled;
}

Result<> Departures::load(TimePoint now) {
  auto stored = state_.departures();
  if (!stored) return fail(std::move(stored.error()));
  for (auto& departure : *stored) {
    auto const id = departure.want.image.image_id;
    all_.emplace(id, std::move(departure));
  }
  forget_old(now);
  return {};
}

void Departures::open(state::Departure departure) {
  auto const id = departure.want.image.image_id;
  auto const [at, is_new] = all_.try_emplace(id, departure);
  auto& known = at->second;
  if (!is_new) {
    if (known.why == departure.why || !blocks(departure.why)) return;
    if (!blocks(known.why)) known.sinks = std::move(departure.sinks);
    known.why = departure.why;
    known.reason = std::move(departure.reason);
    known.since = departure.since;
  }
  keep(known);
  forget_old(departure.since);
}

void Departures::close(Uuid const& image_id) {
  if (all_.erase(image_id) == 0) return;
  if (auto const done = state_.forget_departure(image_id); !done) log_warning("{}", done.error().line());
}

void Departures::unseeded(Uuid const& image_id, TimePoint now) {
  if (auto const at = all_.find(image_id); at == all_.end() || at->second.unseeded) return;
  change(image_id, [now](state::Departure& departure) { departure.unseeded = now; });
}

void Departures::discarded(Uuid const& image_id, TimePoint now) {
  change(image_id, [now](state::Departure& departure) { departure.discarded = now; });
}

void Departures::retired(Uuid const& image_id, std::string_view sink, flow::Retired const& result, TimePoint now) {
  change(image_id, [&](state::Departure& departure) {
    auto const at = std::ranges::find_if(departure.sinks, named(sink));
    if (at == departure.sinks.end()) return;
    at->effect = result.effect;
    at->used_by = result.used_by;
    at->at = now;
    if (!result.reference.empty()) at->reference = result.reference;
  });
}

bool Departures::owed(Uuid const& image_id, std::string_view sink) const {
  auto const at = all_.find(image_id);
  if (at == all_.end()) return false;
  auto const in = std::ranges::find_if(at->second.sinks, named(sink));
  return in != at->second.sinks.end() && !in->is_done();
}

std::vector<selection::Departed> Departures::for_selection() const {
  std::vector<selection::Departed> departed;
  for (auto const& [id, departure] : all_) {
    if (departure.want.derived_from) continue;  // it goes the way of its source
    bool const is_done = blocks(departure.why) && state::confirmed_at(departure);
    departed.push_back({departure.want, departure.why, departure.reason, is_done});
  }
  return departed;
}

template <class Change>
void Departures::change(Uuid const& image_id, Change change) {
  auto const at = all_.find(image_id);
  if (at == all_.end()) return;
  bool const was_confirmed = state::confirmed_at(at->second).has_value();
  change(at->second);
  keep(at->second);
  if (was_confirmed || !state::confirmed_at(at->second)) return;
  log_info("{} ({}) is {}: nobody here seeds it and no sink hands it out", printable(at->second.want.image.name),
           image_id.text(), flow::name_of(at->second.why));
}

void Departures::keep(state::Departure const& departure) {
  if (auto const kept = state_.record(departure); !kept) log_warning("{}", kept.error().line());
}

void Departures::forget_old(TimePoint now) {
  for (;;) {
    auto oldest = all_.end();
    for (auto at = all_.begin(); at != all_.end(); ++at) {
      if (!state::confirmed_at(at->second)) continue;  // there is still something to do
      if (oldest == all_.end() || at->second.since < oldest->second.since) oldest = at;
    }
    if (oldest == all_.end()) return;
    if (all_.size() <= most_kept && oldest->second.since >= now - days_kept) return;
    close(Uuid{oldest->first});
  }
}

}  // namespace imageswarm::coordinator
