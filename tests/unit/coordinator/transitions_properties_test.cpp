#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include "daemon/coordinator/transitions.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Verdict;

Facts any_facts() {
  auto const yes = [] { return *rc::gen::arbitrary<bool>(); };
  Facts facts;
  facts.verdict = *rc::gen::element(Verdict::selected, Verdict::not_selected, Verdict::not_approved, Verdict::expired,
                                    Verdict::withdrawn, Verdict::recalled, Verdict::superseded);
  facts.may_fetch = yes();
  facts.may_seed = yes();
  facts.located = yes();
  facts.filled = yes();
  facts.joined = yes();
  facts.complete = yes();
  facts.verified = yes();
  facts.has_files = yes();
  facts.sinks.resize(*rc::gen::inRange<std::size_t>(0, 4));
  for (auto& sink : facts.sinks) {
    sink.fact = *rc::gen::element(SinkFact::unchecked, SinkFact::unknown, SinkFact::absent, SinkFact::present);
    sink.owed = yes();
  }
  return facts;
}

/// What the step does when nothing goes wrong; the swarm brings the rest by itself.
void follow(Facts& facts, Next const& next) {
  switch (next.step) {
    case Step::none:
      break;
    case Step::locate:
      facts.located = true;
      break;
    case Step::fill:
      facts.filled = true;
      break;
    case Step::join:
      facts.joined = facts.complete = facts.has_files = true;
      break;
    case Step::run_ahead:
      facts.early = false;
      break;
    case Step::verify:
      facts.verified = true;
      break;
    case Step::check_sink:
      facts.sinks.at(next.sink).fact = *rc::gen::element(SinkFact::absent, SinkFact::present);
      break;
    case Step::put:
      facts.sinks.at(next.sink).fact = SinkFact::present;
      break;
    case Step::leave:
      facts.joined = false;
      break;
    case Step::retire:
      facts.sinks.at(next.sink).owed = false;
      break;
    case Step::discard:
      facts.has_files = facts.complete = facts.verified = false;
      break;
  }
}

TEST_CASE("from wherever an image is, its steps come to an end where they should") {
  rc::prop("a fixed point is reached", [] {
    auto facts = any_facts();
    facts.complete = facts.complete || facts.joined;  // what is in the swarm is complete some day
    auto const wanted = facts.verdict == Verdict::selected;
    int steps = 0;
    for (auto next = next_step(facts); next.step != Step::none; next = next_step(facts)) {
      RC_ASSERT(++steps < 20);
      // The order that matters: nothing goes into a sink that was not compared, or that is not wanted.
      RC_ASSERT(next.step != Step::put || (wanted && facts.complete && facts.verified));
      RC_ASSERT(next.step != Step::discard || (!wanted && !facts.joined));
      follow(facts, next);
    }
    if (!wanted) {
      RC_ASSERT(!facts.joined && !facts.has_files);
    } else if (facts.may_fetch && facts.may_seed) {
      for (auto const& sink : facts.sinks) RC_ASSERT(sink.fact == SinkFact::present);
    }
    if (retirement_of(facts.verdict)) {
      for (auto const& sink : facts.sinks) RC_ASSERT(!sink.owed);
    }
  });
}

}  // namespace
}  // namespace imageswarm::coordinator
