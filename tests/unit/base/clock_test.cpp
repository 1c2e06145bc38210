#include "common/base/clock.hpp"

#include <catch2/catch.hpp>

namespace imageswarm {
namespace {

TEST_CASE("times go both ways in their one form") {
  for (auto text : {"1970-01-01T00:00:00Z", "2026-01-02T03:04:05Z", "2024-02-29T23:59:59Z", "9999-12-31T23:59:59Z"}) {
    auto const time = parse_time(text);
    REQUIRE(time);
    CHECK(format_time(*time) == text);
  }
  CHECK(parse_time("2026-01-02T03:04:05Z")->time_since_epoch().count() == 1767323045);
}

TEST_CASE("every other form and every date that is none is refused") {
  for (auto text : {"", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05z",
                    "2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.0Z", "2026-1-2T3:4:5Z", "2026-02-29T00:00:00Z",
                    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-02T24:00:00Z",
                    "2026-01-02T23:60:00Z", "2026-01-02T23:59:60Z", " 2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z\n",
                    "-026-01-02T03:04:05Z", "2026-01-02T03:04:0\x1BZ"}) {
    INFO(text);
    auto const time = parse_time(text);
    REQUIRE_FALSE(time);
    CHECK(time.error().fault == Fault::doc_field);
    CHECK(time.error().what.find_first_of("\x1B\n") == std::string::npos);
  }
}

TEST_CASE("this program was not built in the future") {
  CHECK(build_time() <= SystemClock{}.now());
  CHECK(build_time() > *parse_time("2025-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace imageswarm
