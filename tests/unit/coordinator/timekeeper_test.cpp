#include "daemon/coordinator/timekeeper.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <memory>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::coordinator {
namespace {

using namespace std::chrono_literals;

/// A host with two clocks that a test sets, and a state that outlives the timekeeper.
struct Host {
  test::TemporaryDirectory directory;
  state::State state = state::State::open(directory / "state.sqlite").value();
  TimePoint const begin = build_time() + 1000h;
  ClockReading clocks{begin, 100h};
  std::map<Fault, unsigned> said;
  std::unique_ptr<Timekeeper> clock;

  void start(std::string boot_id = "this boot") {
    clock = std::make_unique<Timekeeper>(Timekeeper::Surroundings{state, std::move(boot_id), [this] { return clocks; },
                                                                  [this](Fault fault) { ++said[fault]; }});
  }
  /// Time goes by as it should.
  void pass(std::chrono::seconds time) {
    clocks.wall += time;
    clocks.since_boot += time;
    clock->look();
  }
  /// Somebody sets the time of day.
  void set_by(std::chrono::seconds step) {
    clocks.wall += step;
    clock->look();
  }
  Fault trouble() const { return clock->trouble() ? clock->trouble()->fault : Fault::internal; }
};

TEST_CASE_METHOD(Host, "now is the time of the last look") {
  start();
  clocks.wall += 10s;
  clocks.since_boot += 10s;
  CHECK(clock->now() == begin);
  clock->look();
  CHECK(clock->now() == begin + 10s);
}

TEST_CASE_METHOD(Host, "a clock that is set by up to an hour, again and again, is followed") {
  start();
  for (int i = 0; i < 5; ++i) set_by(1h);
  CHECK(clock->now() == begin + 5h);
  set_by(-1h);
  CHECK(clock->now() == begin + 4h);
  CHECK_FALSE(clock->trouble());
}

TEST_CASE_METHOD(Host, "a jump of more than an hour is an error once, and time is reckoned on from before") {
  start();
  auto const step = GENERATE(3601s, -3601s, 365 * 24h, -365 * 24h);
  set_by(step);
  CHECK(trouble() == Fault::clock_jump);
  CHECK(clock->now() == begin);
  pass(2h);
  CHECK(trouble() == Fault::clock_jump);
  CHECK(clock->now() == begin + 2h);
  CHECK(said[Fault::clock_jump] == 1);
}

TEST_CASE_METHOD(Host, "a host that was suspended has not jumped") {
  start();
  pass(48h);  // CLOCK_BOOTTIME counts that too
  CHECK_FALSE(clock->trouble());
  CHECK(clock->now() == begin + 48h);
}

TEST_CASE_METHOD(Host, "two answers of one source that find the same jump end it") {
  start();
  set_by(72h);
  clock->on_refresh("a");
  CHECK(trouble() == Fault::clock_jump);
  clock->on_refresh("b");
  CHECK(trouble() == Fault::clock_jump);
  pass(15min);
  clock->on_refresh("a");
  CHECK_FALSE(clock->trouble());
  CHECK(clock->now() == begin + 72h + 15min);
  set_by(-72h);
  CHECK(trouble() == Fault::clock_jump);
  clock->on_refresh("a");
  CHECK(trouble() == Fault::clock_jump);
}

TEST_CASE_METHOD(Host, "a clock that jumps about is not believed before it stands still") {
  start();
  set_by(72h);
  clock->on_refresh("a");
  set_by(2h);
  clock->on_refresh("a");
  CHECK(trouble() == Fault::clock_jump);
  CHECK(clock->now() == begin);
  clock->on_refresh("a");
  CHECK(clock->now() == begin + 74h);
}

TEST_CASE_METHOD(Host, "a jump that is taken back is over at once") {
  start();
  set_by(72h);
  clock->on_refresh("a");
  set_by(-72h);
  CHECK_FALSE(clock->trouble());
  set_by(72h);
  clock->on_refresh("a");
  CHECK(trouble() == Fault::clock_jump);  // what was found in the first jump does not count
}

TEST_CASE_METHOD(Host, "a jump while the daemon was not running is seen in the same boot, not in another one") {
  start();
  clocks.wall += 72h;
  SECTION("the same boot") {
    start();
    CHECK(trouble() == Fault::clock_jump);
    CHECK(clock->now() == begin);
    start();
    CHECK(trouble() == Fault::clock_jump);  // a restart does not settle it
  }
  SECTION("another boot") {
    start("next boot");
    CHECK_FALSE(clock->trouble());
    CHECK(clock->now() == begin + 72h);
  }
  SECTION("believed before the restart") {
    clock->on_refresh("a");
    clock->on_refresh("a");
    start();
    CHECK_FALSE(clock->trouble());
  }
}

TEST_CASE_METHOD(Host, "a clock behind the floor is an error, and now is the floor") {
  REQUIRE(state.raise_time_floor(begin + 6min));
  start();
  CHECK(trouble() == Fault::clock_behind);
  CHECK(said[Fault::clock_behind] == 1);
  CHECK(clock->now() == begin + 6min);
  SECTION("setting it right, however far, is no jump") {
    set_by(24h);
    CHECK_FALSE(clock->trouble());
    CHECK(clock->now() == begin + 24h);
  }
  SECTION("setting it still more wrong does not help") {
    set_by(-24h);
    CHECK(clock->trouble());
    CHECK(clock->now() == begin + 6min);
  }
}

TEST_CASE_METHOD(Host, "five minutes behind the floor are how clocks differ") {
  REQUIRE(state.raise_time_floor(begin + 5min));
  start();
  CHECK_FALSE(clock->trouble());
}

}  // namespace
}  // namespace imageswarm::coordinator
