#include "daemon/swarm/crossing.hpp"

#include <catch2/catch.hpp>

using namespace imageswarm::swarm;
using namespace std::chrono_literals;

namespace {

constexpr Crossing::Waits waits{5s, 30s};
constexpr Crossing::Instant start{};

/// Of rank 10, past its wait for neighbours and fed a moment ago, so that only its place counts.
bool allowed(std::vector<Neighbour> const& neighbours, unsigned copies) {
  Crossing crossing{10, start, waits};
  crossing.fed(start + 60s);
  return crossing.allowed(neighbours, copies, start + 60s);
}

}  // namespace

TEST_CASE("the hosts that began first fetch across the link, as many as copies are allowed", "[swarm][far]") {
  CHECK(allowed({}, 1));
  CHECK(allowed({{11, false}, {12, false}}, 1));
  CHECK_FALSE(allowed({{9, false}}, 1));
  CHECK(allowed({{9, false}, {11, false}}, 2));
  CHECK_FALSE(allowed({{8, false}, {9, false}}, 2));
}

TEST_CASE("nobody crosses the link for what a neighbour has", "[swarm][far]") {
  CHECK_FALSE(allowed({{11, true}}, 1));
  CHECK_FALSE(allowed({{11, true}, {12, false}}, 5));
}

TEST_CASE("a host waits for its neighbours before it crosses", "[swarm][far]") {
  Crossing crossing{10, start, waits};
  CHECK_FALSE(crossing.allowed({}, 1, start + 4s));
  CHECK(crossing.allowed({}, 1, start + 5s));
}

TEST_CASE("hosts that get nothing from their neighbours go by themselves, one after the other", "[swarm][far]") {
  std::vector<Neighbour> const one_ahead{{1, false}, {90, false}}, two_ahead{{1, false}, {2, false}};
  Crossing second{10, start, waits}, third{10, start, waits};
  CHECK_FALSE(second.allowed(one_ahead, 1, start + 29s));
  CHECK(second.allowed(one_ahead, 1, start + 30s));
  CHECK_FALSE(third.allowed(two_ahead, 1, start + 59s));
  third.fed(start + 59s);
  CHECK_FALSE(third.allowed(two_ahead, 1, start + 118s));
  CHECK(third.allowed(two_ahead, 1, start + 119s));
}

TEST_CASE("a neighbour that has the image and gives nothing is not waited for either", "[swarm][far]") {
  Crossing crossing{10, start, waits};
  CHECK_FALSE(crossing.allowed({{11, true}}, 1, start + 29s));
  CHECK(crossing.allowed({{11, true}}, 1, start + 30s));
  crossing.fed(start + 30s);
  CHECK(crossing.allowed({{11, true}}, 1, start + 31s));
}

TEST_CASE("of two hosts that begin at different times the earlier comes first, whatever the chance", "[swarm][far]") {
  std::chrono::system_clock::time_point const noon{};
  for (int i = 0; i < 100; ++i) CHECK(rank_of(noon + 12h) < rank_of(noon + 12h + 1s));
  CHECK(rank_of(noon + 12h) != rank_of(noon + 12h));
}
