#include "daemon/coordinator/transitions.hpp"

#include <catch2/catch.hpp>
#include <set>

namespace imageswarm::coordinator {
namespace {

using selection::Verdict;
using state::ImageState;

Facts wanted() {
  Facts facts;
  facts.verdict = Verdict::selected;
  facts.may_fetch = facts.may_seed = true;
  facts.sinks = {{SinkFact::unknown}};
  return facts;
}

Facts active() {
  auto facts = wanted();
  facts.located = facts.joined = facts.complete = facts.verified = facts.has_files = true;
  facts.sinks = {{SinkFact::present}};
  return facts;
}

/// Carries a step out as if everything succeeded.
void succeed(Facts& facts, Next next) {
  switch (next.step) {
    case Step::none:
      break;
    case Step::locate:
      facts.located = facts.has_files = true;
      break;
    case Step::fill:
      facts.filled = true;
      break;
    case Step::join:
      facts.joined = true;
      break;
    case Step::run_ahead:
      facts.early = false;
      break;
    case Step::verify:
      facts.verified = true;
      break;
    case Step::check_sink:
      facts.sinks[next.sink].fact = SinkFact::absent;
      break;
    case Step::put:
      facts.sinks[next.sink].fact = SinkFact::present;
      break;
    case Step::leave:
      facts.joined = false;
      break;
    case Step::retire:
      facts.sinks[next.sink].fact = SinkFact::absent;
      facts.sinks[next.sink].owed = false;
      break;
    case Step::discard:
      facts.has_files = facts.complete = facts.verified = facts.located = false;
      break;
  }
}

TEST_CASE("a wanted image goes from its torrent through swarm and digest into every sink") {
  auto facts = wanted();
  facts.sinks = {{SinkFact::unknown}, {SinkFact::unknown}};
  std::vector<Step> steps;
  for (;;) {
    auto const next = next_step(facts);
    if (next.step == Step::none && facts.complete) break;
    if (next.step == Step::none) {
      CHECK(shown_state(facts) == ImageState::fetching);
      facts.complete = true;  // the swarm says so
      continue;
    }
    steps.push_back(next.step);
    succeed(facts, next);
  }
  CHECK(steps == std::vector{Step::locate, Step::fill, Step::join, Step::verify, Step::check_sink, Step::check_sink,
                             Step::put, Step::put});
  CHECK(shown_state(facts) == ImageState::active);
}

TEST_CASE("what has come far enough is begun before it is whole") {
  auto facts = wanted();
  facts.located = facts.joined = facts.has_files = facts.early = true;
  CHECK(next_step(facts).step == Step::run_ahead);
  facts.feeding = true;
  CHECK(shown_state(facts) == ImageState::fetching);
  succeed(facts, next_step(facts));
  CHECK(next_step(facts).step == Step::none);
  facts.complete = true;
  CHECK(shown_state(facts) == ImageState::registering);
}

TEST_CASE("nothing is begun early that may not be fetched, or that waits for its next try") {
  auto facts = wanted();
  facts.located = facts.joined = facts.has_files = facts.early = true;
  facts.due = false;
  CHECK(next_step(facts).step == Step::none);
  facts.due = true;
  facts.may_fetch = false;
  CHECK(next_step(facts).step == Step::leave);
}

TEST_CASE("an image that is in its sinks is seeded, and nothing else happens") {
  CHECK(next_step(active()).step == Step::none);
}

TEST_CASE("a receipt of an earlier run counts, and is compared once the artefact is verified") {
  auto facts = wanted();
  facts.complete = facts.has_files = true;
  facts.sinks = {{SinkFact::unchecked}};
  CHECK(shown_state(facts) == ImageState::active);
  facts.located = facts.joined = facts.verified = true;
  CHECK(next_step(facts).step == Step::check_sink);
}

TEST_CASE("whatever ends trust stops the seeding first, then empties the sinks, then removes the artefact") {
  for (auto verdict :
       {Verdict::expired, Verdict::withdrawn, Verdict::not_approved, Verdict::recalled, Verdict::superseded}) {
    auto facts = active();
    facts.verdict = verdict;
    facts.may_fetch = facts.may_seed = false;
    facts.sinks = {{SinkFact::present, true, true}, {SinkFact::unknown, true, true}};
    std::vector<Step> steps;
    for (auto next = next_step(facts); next.step != Step::none; next = next_step(facts)) {
      steps.push_back(next.step);
      succeed(facts, next);
    }
    CHECK(steps == std::vector{Step::leave, Step::retire, Step::retire, Step::discard});
  }
}

TEST_CASE("a sink with enough newer versions loses the image, which stays in the others and is active") {
  auto facts = active();
  facts.sinks = {{SinkFact::present, true, true, true}, {SinkFact::present}};
  CHECK(shown_state(facts) == ImageState::active);
  CHECK(next_step(facts).step == Step::retire);
  CHECK(next_step(facts).sink == 0);
  succeed(facts, next_step(facts));
  CHECK(next_step(facts).step == Step::none);
  CHECK(shown_state(facts) == ImageState::active);
  facts.sinks.front().superseded = false;  // the newer ones were taken back
  CHECK(next_step(facts).step == Step::put);
}

TEST_CASE("an image that this host no longer selects leaves the host, but other hosts' sinks are not touched") {
  auto facts = active();
  facts.verdict = Verdict::not_selected;
  facts.may_fetch = facts.may_seed = false;
  CHECK(next_step(facts).step == Step::leave);
  succeed(facts, next_step(facts));
  CHECK(next_step(facts).step == Step::discard);
  succeed(facts, next_step(facts));
  CHECK(next_step(facts).step == Step::none);
}

TEST_CASE("without fresh trust nothing new is fetched, and what is whole goes on being seeded and put into sinks") {
  auto half = wanted();
  half.located = half.joined = half.has_files = true;
  half.may_fetch = false;
  CHECK(next_step(half).step == Step::leave);
  succeed(half, next_step(half));
  CHECK(next_step(half).step == Step::none);

  auto whole = active();
  whole.may_fetch = false;
  CHECK(next_step(whole).step == Step::none);
  whole.may_seed = false;
  CHECK(next_step(whole).step == Step::leave);
}

TEST_CASE("a sink that waits for its next try holds up neither another sink nor the removal of the artefact") {
  auto facts = wanted();
  facts.located = facts.joined = facts.complete = facts.verified = facts.has_files = true;
  facts.sinks = {{SinkFact::unknown, false}, {SinkFact::absent, true}};
  CHECK(next_step(facts).step == Step::put);
  CHECK(next_step(facts).sink == 1);

  facts = active();
  facts.verdict = Verdict::recalled;
  facts.joined = facts.may_fetch = facts.may_seed = false;
  facts.sinks = {{SinkFact::present, false, true}, {SinkFact::present, true, true}};
  CHECK(next_step(facts).step == Step::retire);
  CHECK(next_step(facts).sink == 1);
  facts.sinks = {{SinkFact::present, false, true}};
  CHECK(next_step(facts).step == Step::discard);
}

TEST_CASE("from any facts the steps come to an end: no image runs in circles") {
  for (unsigned bits = 0; bits < 256; ++bits) {
    for (int verdict = 0; verdict <= static_cast<int>(Verdict::superseded); ++verdict) {
      for (auto sink : {SinkFact::unchecked, SinkFact::unknown, SinkFact::absent, SinkFact::present}) {
        Facts facts;
        facts.verdict = static_cast<Verdict>(verdict);
        facts.may_fetch = bits & 1;
        facts.may_seed = bits & 2;
        facts.located = bits & 4;
        facts.joined = bits & 8;
        facts.complete = bits & 16;
        facts.verified = bits & 32;
        facts.has_files = bits & 64;
        facts.sinks = {{sink}, {SinkFact::unknown, true, true}, {sink, true, true, true}};
        int steps = 0;
        for (auto next = next_step(facts); next.step != Step::none; next = next_step(facts)) {
          succeed(facts, next);
          REQUIRE(++steps < 20);
        }
      }
    }
  }
}

}  // namespace
}  // namespace imageswarm::coordinator
