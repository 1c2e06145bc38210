#include <algorithm>

#include "fixture.hpp"
#include "stranger.hpp"
#include "tests/support/web_server.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

constexpr swarm::Patience patience{1s, 60s, {3s, 6s}};

/// A host of the site 127.0.9.0/24, where one copy of an image may come in.
flow::SwarmSettings at_the_site() {
  static int host = 0;
  auto settings = Host::quiet();
  settings.listen = "127.0.9." + std::to_string(++host) + ":0";
  settings.site = {"127.0.9.0/24"};
  settings.far_copies = 1;
  return settings;
}

std::uint64_t uploaded(Host& host) {
  return host.status().uploaded.value;
}

/// How many hosts a seed is giving an image to.
auto served(Host& seed, Artefact const& artefact) {
  auto const peers = seed.swarm->peers(artefact.image_id);
  return std::ranges::count_if(peers, [](auto const& peer) { return peer.uploaded.value > 0; });
}

}  // namespace

TEST_CASE("one copy crosses the link, and all hosts of the site get the image", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  auto slow = Host::quiet();
  slow.upload_rate = {1'000'000};
  Host seed{slow};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  std::vector<std::unique_ptr<Host>> hosts;
  for (auto const* name : {"a", "b", "c", "d"}) {
    hosts.push_back(std::make_unique<Host>(at_the_site(), patience));
    hosts.back()->add(artefact.transfer(fresh(directory, name), {tracker.url()}));
  }
  REQUIRE(hosts[0]->until([](auto const& status) { return status.progress > 0.3; }));
  CHECK(served(seed, artefact) == 1);
  for (auto& host : hosts) CHECK(host->next_is(Kind::complete));
  CHECK(holds(directory / "d" / artefact.name, artefact.content));
  CHECK(uploaded(seed) < artefact.content.size() * 11 / 10);
}

TEST_CASE("when the host that fetches across the link leaves, the next one goes on where it was", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  auto slow = Host::quiet();
  slow.upload_rate = {500'000};
  Host seed{slow};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  REQUIRE(seed.next_is(Kind::complete));
  auto first = std::make_unique<Host>(at_the_site(), patience);
  first->add(artefact.transfer(fresh(directory, "a"), {tracker.url()}));
  REQUIRE(first->until([](auto const& status) { return status.progress > 0; }));
  Host second{at_the_site(), patience}, third{at_the_site(), patience};
  second.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  third.add(artefact.transfer(fresh(directory, "c"), {tracker.url()}));
  REQUIRE(first->until([](auto const& status) { return status.progress > 0.5; }));
  first.reset();
  CHECK(second.next_is(Kind::complete));
  CHECK(third.next_is(Kind::complete));
  CHECK(uploaded(seed) < artefact.content.size() * 15 / 10);
}

TEST_CASE("a host whose neighbour gets nothing across the link does not wait for ever", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{1'000'001};
  Host seed;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  auto stuck = at_the_site();
  stuck.networks = {"127.0.9.0/24", "127.0.0.1"};  // so it cannot reach the seed
  Host first{stuck, patience};
  first.add(artefact.transfer(fresh(directory, "a"), {tracker.url()}));
  Host second{at_the_site(), {1s, 60s, {4s, 5s}}};
  second.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  CHECK(second.next_is(Kind::complete));
  CHECK(first.next_is(Kind::complete));
  CHECK(uploaded(seed) < artefact.content.size() * 11 / 10);
}

TEST_CASE("a neighbour that gives rubbish is none that delivers", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001, torrent::Flavour::v2, 1_MiB};
  Host seed;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  auto stuck = at_the_site();
  stuck.networks = {"127.0.9.0/24", "127.0.0.1"};  // so it cannot reach the seed
  Host first{stuck, {1s, 60s, {60s, 60s}}};
  first.add(artefact.transfer(fresh(directory, "a"), {tracker.url()}));
  auto const next_second = std::chrono::system_clock::now() + 1s;  // within one second chance says who is first
  REQUIRE(first.until([&](auto const&) { return std::chrono::system_clock::now() > next_second; }));
  Poisoner const rubbish{artefact, fresh(directory, "bad"), at_the_site().listen, tracker, 30'000};  // bytes a second
  Host second{at_the_site(), {1s, 60s, {3s, 6s}}};
  second.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  CHECK(seed.until([](auto const& status) { return status.uploaded.value > 0; }));
}

TEST_CASE("a transfer that is begun anew for a new configuration keeps its place", "[swarm][far]") {
  TemporaryDirectory directory;
  Artefact const artefact{100'001};
  auto settings = at_the_site();
  Host host{settings, patience};
  host.add(artefact.transfer(fresh(directory, "a"), {}));
  auto const address = settings.listen.substr(0, settings.listen.find(':'));
  lt::sha1_hash const info_hash{
      reinterpret_cast<char const*>(artefact.promised.info_hash_v2.bytes.data())};  // 20 bytes of it
  settings.far_copies.reset();  // so that whoever comes from elsewhere is let in
  REQUIRE(host.swarm->apply(settings));
  auto const before = handshake_of(host, address, info_hash)["is_rank"].integer();
  settings.peer_exchange = true;
  REQUIRE(host.swarm->apply(settings));
  auto const until = std::chrono::steady_clock::now() + 10s;
  while (!handshake_of(host, address, info_hash)["m"].dict().contains("ut_pex")) {
    REQUIRE(std::chrono::steady_clock::now() < until);
  }
  CHECK(handshake_of(host, address, info_hash)["is_rank"].integer() == before);
}

TEST_CASE("a web seed outside the site is far like a peer", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{2'000'001};
  WebServer web{"/images/" + artefact.name, artefact.content, "127.0.0.1"};
  Host first{at_the_site(), patience}, second{at_the_site(), patience};
  for (auto* host : {&first, &second}) {
    auto transfer = artefact.transfer(fresh(directory, host == &first ? "a" : "b"), {tracker.url()});
    transfer.web_seeds = {web.url() + "images/"};
    host->add(std::move(transfer));
  }
  CHECK(first.next_is(Kind::complete));
  CHECK(second.next_is(Kind::complete));
  auto const fetched = first.status().from_web_seeds.value + second.status().from_web_seeds.value;
  CHECK(fetched >= artefact.content.size());
  CHECK(fetched < artefact.content.size() * 11 / 10);
}

TEST_CASE("a limit for far hosts does not slow down near ones, and is lifted at run time", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  auto settings = at_the_site();
  settings.far_copies.reset();
  settings.far_upload_rate = {200'000};
  Host seed{settings};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  REQUIRE(seed.next_is(Kind::complete));
  auto alone = Host::quiet();
  alone.networks = {settings.listen.substr(0, settings.listen.find(':')), "127.0.0.1"};  // of the seed alone
  Host far{alone};
  far.add(artefact.transfer(fresh(directory, "far"), {tracker.url()}));
  REQUIRE(far.until([](auto const& status) { return status.progress > 0; }));
  auto site = at_the_site();
  site.networks = alone.networks;
  Host near{site};
  near.add(artefact.transfer(fresh(directory, "near"), {tracker.url()}));
  CHECK(near.next_is(Kind::complete));
  CHECK(far.status().progress < 0.6);
  CHECK_FALSE(far.next(2s));
  seed.swarm->set_rates({});
  CHECK(far.next_is(Kind::complete));
}

TEST_CASE("the total holds over what is near and far", "[swarm][far]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  auto settings = at_the_site();
  settings.upload_rate = {200'000};
  Host seed{settings};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  REQUIRE(seed.next_is(Kind::complete));
  Host near{at_the_site()};
  near.add(artefact.transfer(fresh(directory, "near"), {tracker.url()}));
  CHECK_FALSE(near.next(3s));
  settings.upload_rate = {};
  REQUIRE(seed.swarm->apply(settings));
  CHECK(near.next_is(Kind::complete));
}
