#include "common/trust/acceptance.hpp"

#include <catch2/catch.hpp>

#include "common/base/clock.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Equals;
using namespace std::chrono_literals;
using document::Header;

TimePoint const now = *parse_time("2026-03-01T12:00:00Z");

Header header() {
  Header header;
  header.name = "example";
  header.issued = now - 1h;
  header.expires = now + 24h;
  return header;
}

Fault fault_of(Result<> const& result) {
  REQUIRE_FALSE(result);
  return result.error().fault;
}

Floor floor_of(std::uint64_t epoch, std::uint64_t serial, char const* content = "a") {
  return {epoch, serial, digest_of<Sha256>(content)};
}

TEST_CASE("a clock that is behind what was already seen accepts nothing") {
  CHECK(check_clock({now, now}));
  CHECK(check_clock({now - 5min, now}));
  CHECK(fault_of(check_clock({now - 5min - 1s, now})) == Fault::clock_behind);
}

TEST_CASE("name and epoch are those that are expected, if any are") {
  CHECK(check_header(header(), {}, now));
  Expectation expected;
  expected.name = "example";
  expected.epoch = 1;
  CHECK(check_header(header(), expected, now));
  expected.name = "other";
  CHECK(fault_of(check_header(header(), expected, now)) == Fault::doc_name);
  expected.name.reset();
  expected.epoch = 2;
  CHECK(fault_of(check_header(header(), expected, now)) == Fault::doc_epoch);
}

TEST_CASE("a document holds from a little before it is issued until it expires") {
  auto at = header();
  at.issued = now + 5min;
  CHECK(check_header(at, {}, now));
  at.issued += 1s;
  CHECK(fault_of(check_header(at, {}, now)) == Fault::doc_future);
  at = header();
  CHECK(check_header(at, {}, at.expires - 1s));
  CHECK(fault_of(check_header(at, {}, at.expires)) == Fault::doc_expired);
}

TEST_CASE("nobody signs for longer than 90 days") {
  auto at = header();
  at.expires = at.issued + std::chrono::days{90};
  CHECK(check_header(at, {}, now));
  at.expires += 1s;
  CHECK(fault_of(check_header(at, {}, now)) == Fault::doc_field);
}

TEST_CASE("a serial never goes back and never means two things") {
  CHECK(check_serial(floor_of(1, 42), floor_of(1, 42)));
  CHECK(check_serial(floor_of(1, 43, "b"), floor_of(1, 42)));
  CHECK(fault_of(check_serial(floor_of(1, 42, "b"), floor_of(1, 42))) == Fault::equivocation);
  auto const lower = check_serial(floor_of(1, 41, "b"), floor_of(1, 42));
  CHECK(fault_of(lower) == Fault::serial_rollback);
  CHECK_THAT(lower.error().what, Equals("serial 41 is lower than the accepted 42"));
}

TEST_CASE("a serial does not jump to the end of its range") {
  CHECK(check_serial(floor_of(1, 42 + max_serial_jump, "b"), floor_of(1, 42)));
  CHECK(fault_of(check_serial(floor_of(1, 43 + max_serial_jump, "b"), floor_of(1, 42))) == Fault::serial_jump);
  CHECK(fault_of(check_serial(floor_of(1, document::max_serial, "b"), floor_of(1, 1))) == Fault::serial_jump);
}

TEST_CASE("a new epoch starts serials afresh, an old one is over") {
  CHECK(check_serial(floor_of(2, 1, "b"), floor_of(1, document::max_serial)));
  CHECK(fault_of(check_serial(floor_of(1, 50, "b"), floor_of(2, 1))) == Fault::serial_rollback);
}

}  // namespace
}  // namespace imageswarm::trust
