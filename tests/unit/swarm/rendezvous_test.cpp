#include <catch2/catch.hpp>
#include <stop_token>

#include "common/torrent/meeting_point.hpp"
#include "tests/unit/swarm/fixture.hpp"
#include "tests/unit/swarm/stranger.hpp"

namespace imageswarm::swarm {
namespace {

using exchange::Claim;
using exchange::Topic;
using test::Artefact;
using test::Host;
using test::TemporaryDirectory;

Topic const catalogue = exchange::topic_of(document::Kind::catalogue, "https://images.example.org/catalogue.yaml");

exchange::Followed followed(std::string const& bytes, std::uint64_t serial) {
  return {catalogue, 1, Claim{catalogue, 1, serial, digest_of<Sha256>(bytes), {bytes.size()}},
          std::make_shared<std::string>(bytes)};
}

flow::SwarmSettings knowing(Host const& other, std::string const& address) {
  auto settings = Host::quiet();
  settings.neighbours = {address + ":" + std::to_string(other.swarm->port())};
  return settings;
}

/// One whose address is known, as `127.0.0.N` counts up.
struct Known {
  flow::SwarmSettings settings = Host::quiet();
  std::string address = settings.listen.substr(0, settings.listen.find(':'));
  Host host{settings};
};

std::string const bytes(300'000, 'x');

TEST_CASE("hosts that know nobody's torrents give each other documents and torrent files") {
  Known known;
  known.host.swarm->neighbours().follow({followed(bytes, 7)});
  Artefact const artefact{50'000};
  TemporaryDirectory directory;
  known.host.add(artefact.transfer(test::seeded(directory, artefact), {}, true));

  Host cut_off{knowing(known.host, known.address), {.web_seeds = std::chrono::milliseconds{100}}};
  auto& neighbours = cut_off.swarm->neighbours();
  neighbours.follow({{catalogue, 1, {}, {}}});
  auto const copy = neighbours.newer_copy(catalogue, {});
  REQUIRE(copy);
  CHECK(copy->bytes == bytes);
  CHECK(copy->from == known.address);
  auto const news = cut_off.next();
  REQUIRE(news);
  CHECK(news->kind == Event::Kind::news);
  CHECK(news->topics == std::vector{catalogue});

  auto const torrent = neighbours.torrent_file(artefact.promised.file_sha256, artefact.promised.file_size, {});
  REQUIRE(torrent);
  CHECK(torrent->bytes == artefact.torrent);
  auto const nobodys = neighbours.torrent_file(digest_of<Sha256>("nothing"), {10}, {});
  REQUIRE_FALSE(nobodys);
  CHECK(nobodys.error().fault == Fault::not_found);

  SECTION("and take part in a swarm that no tracker tells of") {
    cut_off.add(artefact.transfer(test::fresh(directory, "cut off"), {}));
    CHECK(cut_off.ends_with(Event::Kind::complete));
  }
  SECTION("and hear of what is newer while they are together") {
    neighbours.follow({followed(bytes, 7)});
    auto const newer = bytes + "and more";
    known.host.swarm->neighbours().follow({followed(newer, 8)});
    CHECK(cut_off.ends_with(Event::Kind::news));
    auto const next = neighbours.newer_copy(catalogue, {});
    REQUIRE(next);
    CHECK(next->bytes == newer);
  }
}

TEST_CASE("who does not want documents to travel has no neighbours") {
  Known known;
  known.host.swarm->neighbours().follow({followed(bytes, 7)});
  auto settings = knowing(known.host, known.address);
  settings.documents = false;
  Host alone{settings};
  alone.swarm->neighbours().follow({{catalogue, 1, {}, {}}});
  CHECK_FALSE(alone.swarm->neighbours().newer_copy(catalogue, {}));

  settings.documents = true;  // may change while the daemon runs
  REQUIRE(alone.swarm->apply(settings));
  CHECK(alone.swarm->neighbours().newer_copy(catalogue, {}));
}

TEST_CASE("neighbours tell of each other as soon as the configuration permits it") {
  Known known;
  lt::sha1_hash point;
  std::ranges::copy(torrent::meeting_point().bytes, point.begin());
  auto const tells = [&] {
    return test::handshake_of(known.host, known.address, point)["m"].dict().contains("ut_pex");
  };
  CHECK_FALSE(tells());
  known.settings.peer_exchange = true;
  REQUIRE(known.host.swarm->apply(known.settings));
  CHECK(tells());
  known.settings.peer_exchange = false;
  REQUIRE(known.host.swarm->apply(known.settings));
  CHECK_FALSE(tells());
}

TEST_CASE("waiting for neighbours can be stopped") {
  auto settings = Host::quiet();
  settings.neighbours = {"127.0.0.1:1"};
  Host alone{settings};
  std::stop_source stop;
  stop.request_stop();
  auto const begin = std::chrono::steady_clock::now();
  CHECK_FALSE(alone.swarm->neighbours().newer_copy(catalogue, stop.get_token()));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
}

}  // namespace
}  // namespace imageswarm::swarm
