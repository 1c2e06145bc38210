#include <sys/mount.h>
#include <unistd.h>

#include "fixture.hpp"
#include "tests/support/web_server.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

/// A file system of 1 MiB, gone at the end; only root may make one.
struct SmallDisk {
  fs::path path;
  bool mounted = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=1m") == 0;
  void grow() const { REQUIRE(::mount("tmpfs", path.c_str(), "tmpfs", MS_REMOUNT, "size=16m") == 0); }
  ~SmallDisk() {
    if (mounted) ::umount2(path.c_str(), MNT_DETACH);
  }
};

}  // namespace

TEST_CASE("an artefact that one host has in place arrives whole at another", "[swarm]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    TemporaryDirectory directory;
    Tracker tracker;
    Artefact const artefact{1'000'001, flavour};
    Host seed, host;
    seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
    REQUIRE(seed.next_is(Kind::complete));
    auto const target = fresh(directory, "b");
    host.add(artefact.transfer(target, {tracker.url()}));
    REQUIRE(host.next_is(Kind::complete));
    CHECK(holds(target / artefact.name, artefact.content));
    CHECK(host.status().complete);
    CHECK(host.status().progress == 1.0);
    CHECK(host.status().from_peers.value >= artefact.content.size());
    CHECK(host.status().from_web_seeds == 0_KiB);
    CHECK(host.status().found_here == 0_KiB);
    CHECK(seed.status().found_here.value == artefact.content.size());
    CHECK(seed.until([&](auto const& status) { return status.uploaded.value >= artefact.content.size(); }));
  }
}

TEST_CASE("after a restart halfway only the rest is fetched", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  Host seed;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  auto const target = fresh(directory, "b");
  ByteCount before;
  {
    auto slow = Host::quiet();
    slow.download_rate = {400'000};
    Host host{slow};
    host.add(artefact.transfer(target, {tracker.url()}));
    REQUIRE(host.until([](auto const& status) { return status.progress > 0.3; }));
    flow::HostRates none;
    none.download_rate = {1};
    host.swarm->set_rates(none);
    before = host.status().from_peers;
    REQUIRE(before.value < artefact.content.size());
  }
  Host host;
  host.add(artefact.transfer(target, {tracker.url()}));
  CHECK(host.status().from_peers.value >= before.value);
  REQUIRE(host.next_is(Kind::complete));
  CHECK(holds(target / artefact.name, artefact.content));
  // Blocks that were on the way are asked for again: a few of 16 KiB.
  CHECK(host.status().from_peers.value < artefact.content.size() + 400'000);
}

TEST_CASE("a daemon that was killed fetches next to nothing twice", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  Host seed;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  auto const target = fresh(directory, "b"), killed = fresh(directory, "killed");
  {
    auto slow = Host::quiet();
    slow.download_rate = {400'000};
    Host host{slow};
    host.add(artefact.transfer(target, {tracker.url()}));
    REQUIRE(host.until([](auto const& status) { return status.progress > 0.4; }));
    // What SIGKILL leaves behind: the last resume file, and what was written, which is more.
    fs::copy_file(target / "resume", killed / "resume");
    fs::copy_file(target / artefact.name, killed / artefact.name);
  }
  Host host;
  host.add(artefact.transfer(killed, {tracker.url()}));
  auto const kept = host.status().from_peers;
  CHECK(kept.value > artefact.content.size() / 10);
  REQUIRE(host.next_is(Kind::complete));
  CHECK(holds(killed / artefact.name, artefact.content));
  // Pieces of before the last save are believed: with what had been counted then it is the image once, and blocks that
  // were on their way.
  CHECK(host.status().from_peers.value < artefact.content.size() + 400'000);
}

TEST_CASE("pieces that were put in place are neither checked nor fetched", "[swarm]") {
  test::TemporaryDirectory directory;
  auto const size = GENERATE(std::size_t{400'000}, std::size_t{25 * 16'384});  // with a padding file and without
  Artefact const artefact{size};
  std::size_t const here = GENERATE(std::size_t{0}, std::size_t{20}, std::size_t{25});
  CAPTURE(size, here);
  auto target = artefact.transfer(fresh(directory, "target"), {});
  write(target.directory / artefact.name, artefact.content.substr(0, here * 16'384));
  fs::resize_file(target.directory / artefact.name, size);
  target.pieces_here = std::vector<bool>(25, false);
  std::fill_n(target.pieces_here.begin(), here, true);
  Tracker tracker;
  Host seed, host;
  target.trackers = {tracker.url()};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  host.add(std::move(target));
  REQUIRE(host.ends_with(Event::Kind::complete));
  CHECK(holds(directory / "target" / artefact.name, artefact.content));
  auto const expected = std::min(here * 16'384, size);
  CHECK(host.until([&](auto const& status) { return status.found_here.value == expected; }));
  CHECK(host.status().from_peers.value - (size - expected) < 16'384);  // padding counts
}

TEST_CASE("an artefact of which the resume file says that it is complete is seeded at once", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{500'001};
  auto const target = seeded(directory, artefact);
  {
    Host host;  // finds it by checking
    host.add(artefact.transfer(target, {tracker.url()}));
    REQUIRE(host.next_is(Kind::complete));
  }
  REQUIRE(fs::exists(target / "resume"));
  Host host;
  host.add(artefact.transfer(target, {tracker.url()}));
  REQUIRE(host.next_is(Kind::complete));
  CHECK(host.status().found_here.value == artefact.content.size());
  CHECK(host.status().from_peers == 0_KiB);
}

TEST_CASE("a resume file that is broken or of another image costs a check and nothing else", "[swarm]") {
  TemporaryDirectory directory;
  Artefact const artefact{500'001};
  auto const target = seeded(directory, artefact);
  for (std::string const content : {"", "no resume data", "de"}) {
    write(target / "resume", content);
    Host host;
    host.add(artefact.transfer(target, {}));
    REQUIRE(host.next_is(Kind::complete));
    CHECK(host.status().found_here.value == artefact.content.size());
  }
  CHECK(holds(target / artefact.name, artefact.content));
}

TEST_CASE("after a boot the pieces of an incomplete artefact are checked, not believed", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{2'000'001};
  Host seed;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  auto const target = fresh(directory, "b");
  {
    auto slow = Host::quiet();
    slow.download_rate = {400'000};
    Host host{slow};
    host.add(artefact.transfer(target, {tracker.url()}));
    REQUIRE(host.until([](auto const& status) { return status.progress > 0.3; }));
  }
  // The boot ID of another boot, and a file that lost what was not yet on the disk.
  auto resume = content_at(target / "resume");
  auto const boot = resume.find("4:boot36:");
  REQUIRE(boot != resume.npos);
  resume[boot + 9] = resume[boot + 9] == '0' ? '1' : '0';
  write(target / "resume", resume);
  auto const size = fs::file_size(target / artefact.name);
  write(target / artefact.name, std::string(size, '\0'));

  Host host;
  host.add(artefact.transfer(target, {tracker.url()}));
  REQUIRE(host.next_is(Kind::complete));
  CHECK(holds(target / artefact.name, artefact.content));
}

TEST_CASE("an artefact in place that is not what was published is reported and never written to", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{300'001};
  auto const place = seeded(directory, artefact);
  auto spoilt = artefact.content;
  spoilt[100'000] ^= 1;
  write(place / artefact.name, spoilt);
  auto const written = fs::last_write_time(place / artefact.name);
  Host seed, host;
  seed.add(artefact.transfer(place, {tracker.url()}, true));
  REQUIRE(seed.next_is(Kind::complete));
  host.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  auto const event = seed.next();
  REQUIRE(event);
  CHECK(event->kind == Kind::failed);
  CHECK(event->error.fault == Fault::hash_mismatch);
  // What is good of it is still seeded; and were the bad piece offered to us, we would not take it.
  CHECK(host.until([](auto const& status) { return status.progress > 0.9; }));
  Host good;
  auto const other = fresh(directory, "other");
  write(other / artefact.name, artefact.content);
  good.add(artefact.transfer(other, {tracker.url()}, true));
  CHECK(host.next_is(Kind::complete));
  CHECK_FALSE(seed.next(2s));
  CHECK(holds(place / artefact.name, spoilt));
  CHECK(fs::last_write_time(place / artefact.name) == written);
}

TEST_CASE("an artefact that is not in place, or not whole, is refused at once", "[swarm]") {
  TemporaryDirectory directory;
  Artefact const artefact{300'001};
  auto const place = seeded(directory, artefact);
  Host host;
  write(place / artefact.name, artefact.content.substr(1));
  auto const cut = host.swarm->add(artefact.transfer(place, {}, true));
  REQUIRE_FALSE(cut);
  CHECK(cut.error().fault == Fault::hash_mismatch);
  fs::remove(place / artefact.name);
  auto const missing = host.swarm->add(artefact.transfer(place, {}, true));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::not_found);
  CHECK(host.swarm->statuses().empty());
}

TEST_CASE("after restart a changed file is made whole again", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{500'001};
  Host seed, host;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  auto const target = fresh(directory, "b");
  host.add(artefact.transfer(target, {tracker.url()}));
  REQUIRE(host.next_is(Kind::complete));
  auto spoilt = artefact.content;
  spoilt[200'000] ^= 1;
  write(target / artefact.name, spoilt);
  host.swarm->restart(artefact.image_id);
  CHECK_FALSE(host.status().complete);
  REQUIRE(host.next_is(Kind::complete));
  CHECK(holds(target / artefact.name, artefact.content));
}

TEST_CASE("peers outside the site's networks are refused, until they are let in", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{300'001};
  auto confined = Host::quiet();
  confined.networks = {"10.0.0.0/8", "fd00::/8"};
  Host seed, host{confined, {1s, 1s}};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  host.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  auto const event = host.next();
  REQUIRE(event);
  CHECK(event->kind == Kind::stalled);
  CHECK(event->error.fault == Fault::swarm_no_sources);
  CHECK(host.status().from_peers == 0_KiB);

  confined.networks.push_back("127.0.0.0/8");
  confined.trackers = {tracker.url()};  // so that it is asked again
  REQUIRE(host.swarm->apply(confined));
  CHECK(host.next_is(Kind::recovered));
  CHECK(host.next_is(Kind::complete));
}

TEST_CASE("on a full disk a transfer waits, and goes on when there is room", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  SmallDisk const small{fresh(directory, "small")};
  if (!small.mounted) {
    WARN("skipped: mounting a small file system needs root");
    return;
  }
  Host seed, host;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  host.add(artefact.transfer(small.path, {tracker.url()}));
  auto const event = host.next();
  REQUIRE(event);
  CHECK(event->kind == Kind::failed);
  CHECK(event->error.fault == Fault::disk_full);
  CHECK_FALSE(host.next(1s));  // told once

  host.swarm->resume_after_disk_full();  // still full: told once more
  auto const again = host.next();
  REQUIRE(again);
  CHECK(again->error.fault == Fault::disk_full);
  CHECK_FALSE(host.next(1s));

  small.grow();
  host.swarm->resume_after_disk_full();
  CHECK(host.next_is(Kind::recovered));
  CHECK(host.next_is(Kind::complete));
  CHECK(holds(small.path / artefact.name, artefact.content));
}

TEST_CASE("under a limit an artefact takes its time, until the limit is lifted", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{3'000'001};
  auto slow = Host::quiet();
  slow.upload_rate = {200'000};
  Host seed{slow}, host;
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  REQUIRE(seed.next_is(Kind::complete));
  host.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  REQUIRE(host.until([](auto const& status) { return status.progress > 0; }));
  CHECK_FALSE(host.next(2s));
  auto const peers = host.swarm->peers(artefact.image_id);
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].address == slow.listen.substr(0, slow.listen.find(':') + 1) + std::to_string(seed.swarm->port()));
  CHECK(peers[0].progress > 0);  // as far as it was offered
  seed.swarm->set_rates({});
  CHECK(host.next_is(Kind::complete));
}

TEST_CASE("without peers an artefact comes from a web seed, also one outside the site's networks", "[swarm]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    TemporaryDirectory directory;
    Artefact const artefact{1'000'001, flavour};
    WebServer web{"/images/" + artefact.name, artefact.content, "127.0.0.1"};
    auto confined = Host::quiet();
    confined.networks = {"10.0.0.0/8"};
    confined.download_rate = {300'000};
    Host host{confined, {0s, 60s}};
    auto transfer = artefact.transfer(fresh(directory, "b"), {});
    transfer.web_seeds = {web.url() + "images/"};
    host.add(std::move(transfer));
    CHECK(host.until([&](auto const&) {
      auto const peers = host.swarm->peers(artefact.image_id);
      return peers.size() == 1 && peers[0].address == web.url() + "images/";
    }));
    host.swarm->set_rates({});
    REQUIRE(host.next_is(Kind::complete));
    CHECK(holds(directory / "b" / artefact.name, artefact.content));
    CHECK(host.status().from_web_seeds.value >= artefact.content.size());
    CHECK(host.status().from_peers == 0_KiB);
  }
}

TEST_CASE("a removed transfer is forgotten and its files stay", "[swarm]") {
  TemporaryDirectory directory;
  Artefact const artefact{300'001};
  auto const place = seeded(directory, artefact);
  Host host;
  host.add(artefact.transfer(place, {}));
  REQUIRE(host.next_is(Kind::complete));
  host.swarm->remove(artefact.image_id);
  CHECK(host.swarm->statuses().empty());
  CHECK(holds(place / artefact.name, artefact.content));
  host.add(artefact.transfer(place, {}));
  CHECK(host.next_is(Kind::complete));
}

TEST_CASE("leaving the swarm takes no longer than three seconds, even with a tracker that never answers", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{300'001};
  Host host;
  host.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}));
  REQUIRE(host.next_is(Kind::complete));
  tracker.fall_silent();
  auto const start = std::chrono::steady_clock::now();
  host.swarm.reset();
  CHECK(std::chrono::steady_clock::now() - start < 3s);
}

TEST_CASE("a host that cannot listen, or does not understand where, says so", "[swarm]") {
  auto const fault_with = [](auto change) {
    auto tried = Host::quiet();
    change(tried);
    auto const opened = swarm::Swarm::open(tried, [](Event const&) {});
    return opened ? "none" : std::string{word(opened.error().fault)};
  };
  auto settings = Host::quiet();
  Host other{settings};
  REQUIRE(other.swarm->port() != 0);
  auto const taken = settings.listen.substr(0, settings.listen.find(':') + 1) + std::to_string(other.swarm->port());
  CHECK(fault_with([&](auto& s) { s.listen = taken; }) == "swarm-listen");
  for (auto const* listen :
       {"", "6881", "127.0.0.1", "127.0.0.1:70000", "host.example:6881", "127.0.0.1:1,0.0.0.0:2"}) {
    CAPTURE(listen);
    CHECK(fault_with([&](auto& s) { s.listen = listen; }) == "config-value");
  }
  for (auto const* network : {"10.0.0.0/33", "10.0.0/8", "fd00::/129", "example.org", "10.0.0.0/", ""}) {
    CAPTURE(network);
    CHECK(fault_with([&](auto& s) { s.networks = {network}; }) == "config-value");
  }
  CHECK(fault_with([](auto& s) { s.dht_nodes = {"node.example"}; }) == "config-value");
}
