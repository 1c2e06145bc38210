#include "daemon/coordinator/departures.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/coordinator/fixture.hpp"

namespace imageswarm::coordinator {
namespace {

using flow::Effect;
using flow::Retirement;
using test::FakeSink;
using test::Host;
using test::ImageState;
using test::Published;
using test::Verdict;
using namespace std::chrono_literals;

/// The only image that had to go.
state::Departure only(Host const& host) {
  auto const departures = host.images->departures();
  REQUIRE(departures.size() == 1);
  return departures.front();
}

bool confirmed(Host const& host) {
  auto const departures = host.images->departures();
  return departures.size() == 1 && state::confirmed_at(departures.front());
}

TEST_CASE("a recall is written down with its reason, and with what was done and when") {
  auto const glance = std::make_shared<FakeSink>("mysite"), folder = std::make_shared<FakeSink>("/srv", "directory");
  Host host{{glance, folder}};
  Published const image{"1"};
  host.bring(image);
  CHECK(host.images->departures().empty());
  auto const begin = host.clock.time += 1h;
  host.plan({image.decided(Verdict::recalled, "site-approvals serial 7 recalls it: a hole")});
  REQUIRE(host.until([&] { return confirmed(host) && only(host).discarded; }));
  auto const departure = only(host);
  CHECK(departure.why == Retirement::recalled);
  CHECK(departure.reason == "site-approvals serial 7 recalls it: a hole");
  CHECK(departure.want.image.name == image.want.image.name);
  CHECK(departure.since == begin);
  CHECK(departure.unseeded == begin);
  REQUIRE(departure.sinks.size() == 2);
  CHECK(departure.sinks[0].reference == image.id().text());
  CHECK(departure.sinks[1].type == "directory");
  CHECK(departure.sinks[1].effect == Effect::removed);
  CHECK(host.images->receipts().empty());
}

TEST_CASE("what never was here needs no record") {
  Host host;
  Published const image{"1"};
  host.plan({image.decided(Verdict::recalled, "before it came")});
  host.let_run();
  CHECK(host.images->departures().empty());
  CHECK(host.sinks.front()->retired().empty());
}

TEST_CASE("a recall that was carried out is still proved after a restart, and nobody is asked again") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return confirmed(host) && only(host).discarded; }));
  auto const before = only(host);
  host.clock.time += 24h;
  host.restart();
  host.plan({image.decided(Verdict::recalled, "a hole, told in other words")});
  host.let_run();
  auto const after = only(host);
  CHECK(after.reason == "a hole");
  CHECK(after.since == before.since);
  CHECK(after.discarded == before.discarded);
  CHECK(after.sinks[0].effect == Effect::removed);
  CHECK(after.sinks[0].at == before.sinks[0].at);
  CHECK(host.sinks.front()->retired().size() == 1);
}

TEST_CASE("what is in use stays, is listed with its user, and goes after a restart when it is free") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.sinks.front()->be_used(true);
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return only(host).sinks[0].effect == Effect::in_use; }));
  host.let_run();
  CHECK(host.sinks.front()->retired().size() == 1);
  CHECK(only(host).sinks[0].used_by == "a virtual machine");
  CHECK_FALSE(confirmed(host));
  CHECK(host.images->receipts().size() == 1);
  host.restart();
  host.plan({image.decided(Verdict::recalled, "a hole")});
  CHECK(host.until([&] { return host.sinks.front()->retired().size() == 2; }));
  CHECK(only(host).sinks[0].used_by == "a virtual machine");
  host.sinks.front()->be_used(false);
  host.restart();
  host.plan({image.decided(Verdict::recalled, "a hole")});
  CHECK(host.until([&] { return confirmed(host); }));
}

TEST_CASE("a superseded version is not listed, and a recall still reaches it after it has left the catalogue") {
  Host host;
  Published const old{"1"};
  host.bring(old);
  host.plan({old.decided(Verdict::superseded, "the newest is 2")});
  REQUIRE(host.until([&] { return host.images->receipts().empty() && host.images->held().empty(); }));
  CHECK(host.images->departures().empty());
  host.restart();
  REQUIRE(host.images->departed().size() == 1);
  CHECK(host.images->departed().front().want.image.image_id == old.id());
  host.plan({old.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return confirmed(host); }));
  CHECK(host.sinks.front()->retired() ==
        std::vector{std::pair{old.id(), Retirement::superseded}, std::pair{old.id(), Retirement::recalled}});
  CHECK(only(host).why == Retirement::recalled);
  CHECK(host.images->departed().front().is_done);
}

TEST_CASE("a recall that comes while the image is being hidden is not taken for done") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::superseded, "the newest is 2")});
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return confirmed(host); }));
  CHECK(host.sinks.front()->retired().back().second == Retirement::recalled);
}

TEST_CASE("a weaker cause takes nothing back, and an image that is wanted again is no departure any more") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return confirmed(host) && only(host).discarded; }));
  host.plan({image.decided(Verdict::not_approved, "no rule")});
  host.let_run();
  CHECK(only(host).why == Retirement::recalled);
  host.bring(image);
  CHECK(host.images->departures().empty());
  host.restart();
  CHECK(host.images->departures().empty());
}

TEST_CASE("records are kept for 400 days") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return confirmed(host) && only(host).discarded; }));
  host.clock.time += Departures::days_kept;
  host.restart();
  CHECK(host.images->departures().size() == 1);
  host.clock.time += 1s;
  host.restart();
  CHECK(host.images->departures().empty());
}

TEST_CASE("a record of what is not out of use yet is never forgotten") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.sinks.front()->be_used(true);
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return only(host).sinks[0].effect == Effect::in_use; }));
  host.clock.time += Departures::days_kept + 24h;
  host.restart();
  CHECK(only(host).sinks[0].used_by == "a virtual machine");
}

TEST_CASE(
    "a half-fetched image that its endorser has withdrawn is discarded without a record, and the daemon starts on") {
  Host host;
  Published const image{"1"};
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.swarm.joined.contains(image.id()); }));
  auto const directory = host.artefact(image).parent_path();
  test::fs::create_directories(directory);
  Host::write(host.artefact(image), "half");
  host.restart();
  test::Decision withdrawal;  // of a catalogue: no entry, only its name
  withdrawal.want.image.image_id = image.id();
  withdrawal.want.image.uuid = image.want.image.uuid;
  withdrawal.verdict = Verdict::withdrawn;
  host.plan({withdrawal});
  CHECK(host.until([&] { return !test::fs::exists(directory); }));
  CHECK(host.images->departures().empty());
  host.restart();
  CHECK(host.images->departures().empty());
}

TEST_CASE("a crash between a recall and leaving the swarm does not lose the confirmation") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.restart_after([&](state::State& kept) {
    REQUIRE(kept.record(state::Departure{.want = image.want,
                                         .why = Retirement::recalled,
                                         .reason = "a hole",
                                         .since = host.clock.time,
                                         .unseeded = {},
                                         .discarded = {},
                                         .sinks = {{"glance", "glance", image.id().text(), {}, {}, {}, {}}}}));
  });
  host.plan({image.decided(Verdict::recalled, "a hole")});
  CHECK(host.until([&] { return confirmed(host); }));
}

}  // namespace
}  // namespace imageswarm::coordinator
