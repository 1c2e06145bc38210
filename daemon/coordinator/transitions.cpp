#include "daemon/coordinator/transitions.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

namespace imageswarm::coordinator {
namespace {

using selection::Verdict;

/// The first sink of this kind that is worth a try now, or none: one that fails does not hold up the others.
template <class Is>
std::optional<std::size_t> first_due(Facts const& facts, Is is) {
  auto const found =
      std::ranges::find_if(facts.sinks, [&is](auto const& sink) { return sink.due && std::invoke(is, sink); });
  if (found == facts.sinks.end()) return std::nullopt;
  return static_cast<std::size_t>(found - facts.sinks.begin());
}

std::optional<std::size_t> due_sink(Facts const& facts, SinkFact fact) {
  return first_due(facts, [fact](SinkFacts const& sink) { return !sink.superseded && sink.fact == fact; });
}
std::optional<std::size_t> owed_sink(Facts const& facts) {
  return first_due(facts, &SinkFacts::owed);
}

bool selected(Facts const& f) {
  return f.verdict == Verdict::selected;
}
/// Nothing new without trust; what is whole may be seeded for a while longer.
bool may_swarm(Facts const& f) {
  return selected(f) && (f.complete ? f.may_seed : f.may_fetch);
}

struct Row {
  bool (*when)(Facts const&);
  Step step;
};

// clang-format off
constexpr std::array table{
    // Out of the swarm first: what is recalled stops at once.
    Row{[](Facts const& f) { return f.joined && !may_swarm(f);                               }, Step::leave},
    Row{[](Facts const& f) { return (selected(f) || retirement_of(f.verdict)) && owed_sink(f);}, Step::retire},
    Row{[](Facts const& f) { return !selected(f) && f.has_files && f.due;                    }, Step::discard},
    Row{[](Facts const& f) { return !selected(f);                                            }, Step::none},
    // In its sinks, and in nobody's way.
    Row{[](Facts const& f) { return f.evicted && due_sink(f, SinkFact::unchecked);           }, Step::check_sink},
    Row{[](Facts const& f) { return f.evicted;                                               }, Step::none},
    // Towards the sinks.
    Row{[](Facts const& f) { return f.due && !f.located && (f.may_fetch || f.complete);      }, Step::locate},
    Row{[](Facts const& f) { return f.due && f.located && !f.joined && may_swarm(f)
                                 && !f.complete && !f.filled;                                }, Step::fill},
    Row{[](Facts const& f) { return f.due && f.located && !f.joined && may_swarm(f);         }, Step::join},
    Row{[](Facts const& f) { return f.due && f.early && !f.complete;                         }, Step::run_ahead},
    Row{[](Facts const& f) { return !f.complete;                                             }, Step::none},
    Row{[](Facts const& f) { return f.due && !f.verified;                                    }, Step::verify},
    Row{[](Facts const& f) { return !f.verified;                                             }, Step::none},
    Row{[](Facts const& f) { return due_sink(f, SinkFact::unchecked)
                                 || due_sink(f, SinkFact::unknown);                          }, Step::check_sink},
    Row{[](Facts const& f) { return due_sink(f, SinkFact::absent).has_value();               }, Step::put},
};
// clang-format on

std::size_t sink_of(Step step, Facts const& facts) {
  auto const first = [&](SinkFact a, SinkFact b) {
    return due_sink(facts, a).value_or(due_sink(facts, b).value_or(0));
  };
  switch (step) {
    case Step::check_sink:
      return first(SinkFact::unchecked, SinkFact::unknown);
    case Step::put:
      return first(SinkFact::absent, SinkFact::absent);
    case Step::retire:
      return owed_sink(facts).value_or(0);
    default:
      return 0;
  }
}

}  // namespace

Next next_step(Facts const& facts) {
  auto const row = std::ranges::find_if(table, [&](Row const& candidate) { return candidate.when(facts); });
  if (row == table.end()) return {};
  return {row->step, sink_of(row->step, facts)};
}

state::ImageState shown_state(Facts const& facts) {
  using state::ImageState;
  switch (facts.verdict) {
    case Verdict::selected:
      break;
    case Verdict::not_selected:
      return ImageState::not_selected;
    case Verdict::not_approved:
      return ImageState::not_approved;
    case Verdict::expired:
      return ImageState::expired;
    case Verdict::withdrawn:
      return ImageState::withdrawn;
    case Verdict::recalled:
      return ImageState::recalled;
    case Verdict::superseded:
      return ImageState::superseded;
  }
  auto const has_it = [](SinkFacts const& sink) {
    return sink.superseded || sink.fact == SinkFact::present || sink.fact == SinkFact::unchecked;
  };
  if (std::ranges::all_of(facts.sinks, has_it) && (facts.verified || !facts.sinks.empty())) return ImageState::active;
  if (!facts.complete) return facts.may_fetch ? ImageState::fetching : ImageState::not_selected;
  if (!facts.verified) return facts.feeding ? ImageState::registering : ImageState::verifying;
  return next_step(facts).step == Step::put ? ImageState::registering : ImageState::preparing;
}

std::optional<flow::Retirement> retirement_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::expired:
      return flow::Retirement::expired;
    case Verdict::withdrawn:
      return flow::Retirement::withdrawn;
    case Verdict::not_approved:
      return flow::Retirement::not_approved;
    case Verdict::recalled:
      return flow::Retirement::recalled;
    case Verdict::superseded:
      return flow::Retirement::superseded;
    case Verdict::selected:
    case Verdict::not_selected:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace imageswarm::coordinator
