#include "daemon/subscription/schedule.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::subscription {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a source that answers is asked again within a tenth of its refresh time") {
  Schedule schedule{15min};
  CHECK(schedule.after_success(0) == 810s);
  CHECK(schedule.after_success(0.5) == 900s);
  CHECK(schedule.after_success(1) == 990s);
}

TEST_CASE("a source that fails is asked ever more seldom, but never less often than its refresh time") {
  Schedule schedule{60s};
  CHECK(schedule.after_failure(1) == 5s);
  CHECK(schedule.after_failure(1) == 10s);
  CHECK(schedule.after_failure(0) == 10s);
  for (int i = 0; i < 100; ++i) CHECK(schedule.after_failure(1) <= 60s);
}

TEST_CASE("after a success the first failure counts as the first again") {
  Schedule schedule{1h};
  for (int i = 0; i < 5; ++i) schedule.after_failure(1);
  schedule.after_success(0.5);
  CHECK(schedule.after_failure(1) == 5s);
}

}  // namespace
}  // namespace imageswarm::subscription
