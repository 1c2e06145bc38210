#include "daemon/coordinator/images.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/coordinator/fixture.hpp"

namespace imageswarm::coordinator {
namespace {

using flow::Retirement;
using test::FakeSink;
using test::Host;
using test::ImageState;
using test::Published;
using test::Verdict;

TEST_CASE("an image goes from the swarm into every sink") {
  auto const first = std::make_shared<FakeSink>("first"), second = std::make_shared<FakeSink>("second");
  Host host{{first, second}};
  Published const image{"1"};
  host.bring(image);
  CHECK(first->has(image.id()));
  CHECK(second->has(image.id()));
  CHECK(host.images->receipts().size() == 2);
  CHECK(host.swarm.joined.contains(image.id()));
}

TEST_CASE("what older versions have of a new one is in place before it joins the swarm") {
  Host host;
  Published const older{"1"}, newer{"2"};
  host.bring(older);
  host.know(newer);
  host.plan({older.decided(Verdict::selected), newer.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.swarm.joined.contains(newer.id()); }));
  CHECK(host.swarm.joined.at(newer.id()).pieces_here == std::vector{false, true, true, true});
  CHECK(std::filesystem::file_size(host.artefact(newer)) == newer.content.size());
}

TEST_CASE("what has been in the swarm is left to its resume file") {
  Host host;
  Published const older{"1"}, newer{"2"};
  host.bring(older);
  host.know(newer);
  auto const resume = host.store.directory / "resume" / (newer.id().text() + ".resume");
  std::filesystem::create_directories(resume.parent_path());
  Host::write(resume, "of an earlier run");
  host.plan({older.decided(Verdict::selected), newer.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.swarm.joined.contains(newer.id()); }));
  CHECK(host.swarm.joined.at(newer.id()).pieces_here.empty());
  CHECK_FALSE(std::filesystem::exists(host.artefact(newer)));
}

TEST_CASE("what was found here is looked at again when the image joins the swarm later on") {
  Host host;
  Published const older{"1"}, newer{"2"};
  host.bring(older);
  host.know(newer);
  host.plan({older.decided(Verdict::selected), newer.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.swarm.joined.contains(newer.id()); }));
  host.images->pause(true);
  REQUIRE_FALSE(host.swarm.joined.contains(newer.id()));
  Host::write(host.artefact(newer), std::string(20'000, 'y'));
  Host::write(host.artefact(older), std::string(40'000, 'y'));
  host.images->pause(false);
  REQUIRE(host.until([&] { return host.swarm.joined.contains(newer.id()); }));
  CHECK(host.swarm.joined.at(newer.id()).pieces_here == std::vector<bool>(4));
}

TEST_CASE("neighbours that do not answer hold up no image whose torrent is here") {
  Host host;
  host.neighbours.silent = true;
  std::vector<Published> unknown;
  std::vector<test::Decision> decisions;
  for (auto const* version : {"1", "2"}) {
    auto& image = unknown.emplace_back(version);
    image.want.torrent_url = "http://127.0.0.1:1/gone.torrent";
    decisions.push_back(image.decided(Verdict::selected));
  }
  host.plan(decisions);
  REQUIRE(host.until([&] { return host.neighbours.waiting == 2; }));
  Published const known{"3"};
  host.know(known);
  decisions.push_back(known.decided(Verdict::selected));
  host.plan(decisions);
  host.deliver(known);
  CHECK(host.until([&] { return host.state_of(known) == ImageState::active; }));
}

TEST_CASE("zeros, which become holes, take nothing of the store's budget") {
  Host host;
  Published const image{"1", 200'000, "debian-12", '\0'};
  host.store.size = ByteCount{image.content.size() / 2};
  host.configure();
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.until([&] { return host.swarm.joined.contains(image.id()); }));
}

TEST_CASE("an upload under way is cancelled by a recall, and the image leaves the swarm before that") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  sink->be_slow(true);
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image);
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.plan({image.decided(Verdict::recalled)});
  CHECK(host.swarm.joined.empty());
  CHECK(host.until([&] { return sink->calls("put cancelled") == 1; }));
  CHECK(host.until([&] { return !std::filesystem::exists(host.artefact(image)); }));
  CHECK_FALSE(sink->has(image.id()));
  CHECK(host.state_of(image) == ImageState::recalled);
  // Whatever the upload left in the sink is looked for.
  CHECK(host.until([&] { return sink->retired() == std::vector{std::pair{image.id(), Retirement::recalled}}; }));
}

TEST_CASE("a recall takes the image out of every sink and removes the artefact") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::recalled)});
  CHECK(host.until([&] { return host.images->receipts().empty() && !std::filesystem::exists(host.artefact(image)); }));
  CHECK(host.sinks.front()->retired() == std::vector{std::pair{image.id(), Retirement::recalled}});
}

TEST_CASE("Nova's cache is asked again under the ID that Glance has given the image") {
  auto const glance = std::make_shared<FakeSink>("glance"), cache = std::make_shared<FakeSink>("cache", "nova-cache");
  Host host{{cache, glance}};
  Published const image{"1"};
  glance->calls_it("another-id");
  host.bring(image);
  REQUIRE(host.until([&] { return cache->asked_for() == "another-id"; }));
  CHECK(host.until([&] { return host.state_of(image) == ImageState::active; }));
}

/// Two sinks with an image that one of them does not want any more.
struct PartlySuperseded {
  PartlySuperseded() {
    host.bring(image);
    supersede();
  }
  void supersede() {
    auto decision = image.decided(Verdict::selected);
    decision.superseded_in = {"few"};
    host.plan({decision});
  }

  std::shared_ptr<FakeSink> few = std::make_shared<FakeSink>("few"), many = std::make_shared<FakeSink>("many");
  Host host{{few, many}};
  Published const image{"1"};
};

TEST_CASE("an image leaves the sink that has enough newer ones, stays in the other, and comes back") {
  PartlySuperseded partly;
  auto& [few, many, host, image] = partly;
  REQUIRE(host.until([&] { return host.images->present_in("few").empty(); }));
  CHECK(few->retired() == std::vector{std::pair{image.id(), Retirement::superseded}});
  CHECK(many->has(image.id()));
  host.let_run();
  CHECK(few->calls("put") == 1);
  CHECK(host.state_of(image) == ImageState::active);
  CHECK(host.row(image)->sinks[0].state == state::SinkState::absent);
  CHECK(host.row(image)->sinks[1].state == state::SinkState::present);
  CHECK(host.swarm.joined.contains(image.id()));
  CHECK(host.images->departures().empty());
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.until([&] { return few->has(image.id()); }));
}

TEST_CASE("an image in use stays in the sink that does not want it until it is free") {
  PartlySuperseded partly;
  auto& [few, many, host, image] = partly;
  REQUIRE(host.until([&] { return host.images->present_in("few").empty(); }));
  host.plan({image.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.images->present_in("few").contains(image.id()); }));
  few->be_used(true);
  partly.supersede();
  REQUIRE(host.until([&] { return few->retired().size() == 2; }));
  host.let_run();
  CHECK(host.row(image)->sinks[0].state == state::SinkState::present);
  CHECK(host.state_of(image) == ImageState::active);
}

TEST_CASE("a sink that does not want an image answers for it after a restart, with or without a receipt") {
  PartlySuperseded partly;
  auto& [few, many, host, image] = partly;
  REQUIRE(host.until([&] { return few->retired().size() == 1; }));
  host.restart();
  partly.supersede();
  CHECK(host.until([&] { return few->retired().size() == 2; }));
  host.let_run();
  CHECK(few->retired().size() == 2);
  CHECK(few->calls("put") == 1);
}

TEST_CASE("a recall does not wait behind sinks that do not answer") {
  auto const good = std::make_shared<FakeSink>("good"), stuck = std::make_shared<FakeSink>("stuck");
  Host host{{good, stuck}};
  Published const recalled{"1"};
  host.bring(recalled);
  stuck->be_stuck(true);
  std::vector<Published> others;
  std::vector<test::Decision> decisions{recalled.decided(Verdict::selected)};
  for (auto const* version : {"2", "3", "4", "5", "6", "7"}) {
    others.emplace_back(version);
    host.know(others.back());
    decisions.push_back(others.back().decided(Verdict::selected));
  }
  host.plan(decisions);
  for (auto const& image : others) host.deliver(image);
  REQUIRE(host.until([&] { return stuck->calls("find") >= 4; }));
  decisions.front() = recalled.decided(Verdict::recalled);
  host.plan(decisions);
  CHECK(host.until([&] { return !good->has(recalled.id()); }));
}

TEST_CASE("new trackers and web seeds of an image that is in the swarm reach the swarm") {
  Host host;
  Published image{"1"};
  host.bring(image);
  image.want.trackers = {"http://other.example.org/announce"};
  image.want.web_seeds = {"https://other.example.org/"};
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.swarm.joined.at(image.id()).trackers == image.want.trackers);
  CHECK(host.swarm.joined.at(image.id()).web_seeds == image.want.web_seeds);
}

TEST_CASE("a sink that fails waits for its next try, and another one is not held up by it") {
  auto const bad = std::make_shared<FakeSink>("bad"), good = std::make_shared<FakeSink>("good");
  bad->fail_puts(Fault::glance_unavailable);
  Host host{{bad, good}};
  Published const image{"1"};
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image);
  CHECK(host.until([&] { return good->has(image.id()); }));
  host.let_run();
  CHECK(bad->calls("put") == 1);
  CHECK(host.row(image)->sinks[0].error->fault == Fault::glance_unavailable);
  CHECK_FALSE(host.row(image)->sinks[1].error);
}

TEST_CASE("content that was refused is not tried again soon, by whatever sink, nor by the next plan") {
  Host host;
  host.sinks.front()->fail_puts(Fault::image_backing_file);
  Published const image{"1"};
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image);
  REQUIRE(host.until([&] { return host.state_of(image) == ImageState::failed; }));
  host.let_run();
  host.plan({image.decided(Verdict::selected)});
  host.let_run();
  CHECK(host.sinks.front()->calls("put") == 1);
  CHECK(host.images->settled());
}

TEST_CASE("an artefact that is not what was signed is fetched anew once, and then rests") {
  Host host;
  Published const image{"1"};
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image, std::string(image.content.size(), 'y'));
  REQUIRE(host.until([&] { return host.swarm.restarted.size() == 1; }));
  CHECK(host.sinks.front()->calls("put") == 0);
  host.deliver(image, std::string(image.content.size(), 'z'));
  REQUIRE(host.until([&] { return host.swarm.restarted.size() == 2; }));
  host.deliver(image, std::string(image.content.size(), 'y'));
  host.let_run();
  CHECK(host.swarm.restarted.size() == 2);
  CHECK(host.row(image)->error->fault == Fault::hash_mismatch);
}

TEST_CASE("after a restart receipts count at once, are compared again, and nothing is uploaded twice") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.restart();
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.state_of(image) == ImageState::active);
  auto const& sink = host.sinks.front();
  CHECK(host.until([&] { return sink->calls("find") == 2; }));
  host.let_run();
  CHECK(sink->calls("put") == 1);
  CHECK(host.images->receipts().size() == 1);
}

TEST_CASE("what is no longer in a sink after a restart is put there again") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  auto const& sink = host.sinks.front();
  sink->lose(image.id());
  host.restart();
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.until([&] { return sink->has(image.id()); }));
}

TEST_CASE("a recall that came while the daemon was not running is carried out at the next start") {
  Host host;
  Published const image{"1"};
  host.bring(image);
  host.restart();
  host.plan({image.decided(Verdict::recalled)});
  CHECK(host.until([&] { return !host.sinks.front()->has(image.id()); }));
  CHECK(host.until([&] { return !std::filesystem::exists(host.artefact(image)); }));
}

/// Two versions that are active, and a third one that makes the store too full.
struct FullStore {
  FullStore() {
    host.store.size = ByteCount{first.content.size() * 5 / 2};
    host.configure();
    host.bring(first);
    host.clock.time += std::chrono::hours{1};
    host.know(second);
    host.plan({first.decided(Verdict::selected), second.decided(Verdict::selected)});
    host.deliver(second);
    REQUIRE(host.until([&] { return host.state_of(second) == ImageState::active; }));
    host.know(third);
  }
  void plan_all() {
    host.plan({first.decided(Verdict::selected), second.decided(Verdict::selected), third.decided(Verdict::selected)});
  }

  Host host;
  Published const first{"1"}, second{"2"}, third{"3"};
};

TEST_CASE("the oldest version that was replaced here gives way in the store, and stays in its sinks") {
  FullStore full;
  auto& host = full.host;
  full.plan_all();
  CHECK(host.until([&] { return !host.has_files(full.first); }));
  CHECK(std::filesystem::exists(host.artefact(full.second)));  // the last good one
  CHECK_FALSE(host.swarm.joined.contains(full.first.id()));
  host.deliver(full.third);
  REQUIRE(host.until([&] { return host.state_of(full.third) == ImageState::active; }));
  host.let_run();
  CHECK(host.state_of(full.first) == ImageState::active);
  CHECK_FALSE(host.row(full.first)->error);
  CHECK(host.sinks.front()->has(full.first.id()));
  CHECK(host.images->all_active());
  CHECK(host.images->departures().empty());

  host.restart();
  full.plan_all();
  host.let_run();
  CHECK_FALSE(host.swarm.joined.contains(full.first.id()));
  CHECK(host.swarm.joined.size() == 2);
  CHECK(host.state_of(full.first) == ImageState::active);
  CHECK_FALSE(host.row(full.first)->error);
}

TEST_CASE("what gave way is fetched again when it becomes the newest that works") {
  FullStore full;
  auto& host = full.host;
  full.plan_all();
  REQUIRE(host.until([&] { return !host.has_files(full.first); }));
  host.know(full.first);
  host.plan({full.first.decided(Verdict::selected), full.second.decided(Verdict::withdrawn),
             full.third.decided(Verdict::withdrawn)});
  CHECK(host.until([&] { return host.swarm.joined.contains(full.first.id()); }));
}

TEST_CASE("what gave way and is lost from its sink is not forgotten") {
  FullStore full;
  auto& host = full.host;
  full.plan_all();
  REQUIRE(host.until([&] { return !host.has_files(full.first); }));
  host.deliver(full.third);
  REQUIRE(host.until([&] { return host.state_of(full.third) == ImageState::active; }));
  host.sinks.front()->lose(full.first.id());
  host.restart();
  host.know(full.first);
  full.plan_all();
  CHECK(host.until([&] { return host.row(full.first)->error.has_value(); }));
  CHECK(host.row(full.first)->error->fault == Fault::disk_full);
}

TEST_CASE("the last good version never gives way: that there is no room is said before anything is fetched") {
  Host host;
  Published const first{"1"}, second{"2"};
  host.store.size = ByteCount{first.content.size() * 3 / 2};
  host.configure();
  host.bring(first);
  host.know(second);
  host.plan({first.decided(Verdict::selected), second.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.state_of(second) == ImageState::failed; }));
  CHECK(host.row(second)->error->fault == Fault::disk_full);
  CHECK_FALSE(host.swarm.joined.contains(second.id()));
  CHECK(std::filesystem::exists(host.artefact(first)));
  CHECK(host.state_of(first) == ImageState::active);
}

TEST_CASE("what is held stands by the word of those who vouch for it now, since the time when it came") {
  Host host;
  Published image{"1"};
  host.bring(image);
  auto& want = image.want;
  want.endorser.subject = *trust::DistinguishedName::parse("CN=Bob Endorser,O=Example");
  want.provenance.endorser = want.endorser.text();
  want.provenance.catalogue = "another";
  auto decision = image.decided(Verdict::selected);
  auto const endorsed_now = GENERATE(false, true);
  decision.is_endorsed_now = endorsed_now;
  auto const begin = host.clock.time;
  host.clock.time += std::chrono::hours{1};
  host.plan({decision});
  host.restart_after([&](state::State& kept) {
    auto const held = kept.held();
    REQUIRE(held);
    REQUIRE(held->size() == 1);
    CHECK((held->front().want.provenance.catalogue == "another") == endorsed_now);
    CHECK(held->front().want.endorser.same_identity(want.endorser) == endorsed_now);
    CHECK(held->front().since == begin);
  });
}

}  // namespace
}  // namespace imageswarm::coordinator
