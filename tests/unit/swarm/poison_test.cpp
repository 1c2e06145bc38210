#include "fixture.hpp"
#include "stranger.hpp"
#include "tests/support/web_server.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

constexpr std::size_t size = 3'000'001;

}  // namespace

TEST_CASE("a host whose only source was banned asks it again later", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{300'001};
  auto const shared = Host::quiet();
  auto hostile = std::make_unique<Poisoner>(artefact, fresh(directory, "bad"), shared.listen, tracker);

  Host host{Host::quiet(), {1s, 1s}};
  host.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  REQUIRE(host.next_is(Kind::stalled));
  hostile.reset();
  Host seed{shared};  // at the same address
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  CHECK(host.next_is(Kind::recovered));
  CHECK(host.next_is(Kind::complete));
}

TEST_CASE("hosts get the artefact whole where most of their peers serve rubbish", "[swarm]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    TemporaryDirectory directory;
    Tracker tracker;
    Artefact const artefact{size, flavour};
    std::vector<std::unique_ptr<Poisoner>> hostile;
    for (auto const* name : {"bad1", "bad2", "bad3"}) {
      hostile.push_back(std::make_unique<Poisoner>(artefact, fresh(directory, name), Host::quiet().listen, tracker));
    }
    Host seed{};
    seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
    Host first{Host::quiet(), {1s, 1s}}, second{Host::quiet(), {1s, 1s}};
    first.add(artefact.transfer(fresh(directory, "first"), {tracker.url()}));
    second.add(artefact.transfer(fresh(directory, "second"), {tracker.url()}));
    for (auto* host : {&first, &second}) CHECK(host->ends_with(Kind::complete));
    CHECK(holds(directory / "first" / artefact.name, artefact.content));
    CHECK(holds(directory / "second" / artefact.name, artefact.content));
  }
}

TEST_CASE("a lying web seed neither gets a byte in nor takes the good peers along", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{size};
  WebServer const liar{"/images/" + artefact.name, std::string(artefact.content.size(), 'x'), "127.0.0.200"};
  Host host{Host::quiet(), {0s, 1s}};
  auto transfer = artefact.transfer(fresh(directory, "b"), {tracker.url()});
  transfer.web_seeds = {liar.url() + "images/"};
  host.add(std::move(transfer));
  REQUIRE(host.next_is(Kind::stalled));  // banned, and nobody else there
  Host seed{};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  CHECK(host.ends_with(Kind::complete));
  CHECK(holds(directory / "b" / artefact.name, artefact.content));
}

TEST_CASE("a web seed that lied is asked again when it has been repaired", "[swarm]") {
  TemporaryDirectory directory;
  Artefact const artefact{size};
  auto const path = "/images/" + artefact.name;
  auto liar = std::make_unique<WebServer>(path, std::string(artefact.content.size(), 'x'), "127.0.0.201", 18'080);
  Host host{Host::quiet(), {0s, 1s}};
  auto transfer = artefact.transfer(fresh(directory, "b"), {});
  transfer.web_seeds = {liar->url() + "images/"};
  host.add(std::move(transfer));
  REQUIRE(host.next_is(Kind::stalled));
  liar.reset();
  WebServer const repaired{path, artefact.content, "127.0.0.201", 18'080};
  CHECK(host.ends_with(Kind::complete));
  CHECK(holds(directory / "b" / artefact.name, artefact.content));
}
