#include <catch2/catch.hpp>

#include "tests/unit/swarm/fixture.hpp"

using namespace imageswarm;
using namespace imageswarm::test;

namespace {

/// Chunks of which none fills its piece, and some are equal.
struct ChunkedArtefact {
  Uuid image_id = Uuid::random();
  std::vector<std::string> chunks{noise(200'000), noise(140), noise(140), noise(16'384), noise(70'000)};
  SampleTorrent torrent = torrent_of_chunks(chunks);

  fs::path file(fs::path const& directory, std::size_t index) const {
    return directory / "disk.chunks" / document::chunk_name(static_cast<std::uint32_t>(index));
  }
  void write_to(fs::path const& directory) const {
    fs::create_directory(directory / "disk.chunks");
    for (std::size_t i = 0; i < chunks.size(); ++i) write(file(directory, i), chunks[i]);
  }
  bool is_in(fs::path const& directory) const {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (!holds(file(directory, i), chunks[i])) return false;
    }
    return true;
  }

  swarm::Transfer transfer(fs::path const& directory, std::vector<std::string> trackers, bool in_place) const {
    return {.image_id = image_id,
            .torrent = torrent.admitted(),
            .directory = directory,
            .resume_file = directory / "resume",
            .in_place = in_place,
            .trackers = std::move(trackers),
            .web_seeds = {}};
  }
};

}  // namespace

TEST_CASE("chunks come from a host that has them in place, as whole blocks", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  ChunkedArtefact const artefact;
  auto const there = fresh(directory, "there"), here = fresh(directory, "here");
  artefact.write_to(there);
  Host seed, leech;
  seed.add(artefact.transfer(there, {tracker.url()}, true));
  leech.add(artefact.transfer(here, {tracker.url()}, false));
  REQUIRE(leech.next_is(Event::Kind::complete));
  CHECK(artefact.is_in(here));
  CHECK(leech.until([&](swarm::TransferStatus const& status) { return status.progress == 1.0; }));
  constexpr std::uint64_t blocks = 13 + 1 + 1 + 1 + 5;
  CHECK(leech.status().from_peers.value == blocks * (16_KiB).value);
}

TEST_CASE("chunks in place of which one is missing or cut off are not taken", "[swarm]") {
  TemporaryDirectory directory;
  ChunkedArtefact const artefact;
  auto const there = fresh(directory, "there");
  artefact.write_to(there);
  Host host;
  write(artefact.file(there, 4), "short");
  auto const cut = host.swarm->add(artefact.transfer(there, {}, true));
  REQUIRE_FALSE(cut);
  CHECK(cut.error().fault == Fault::hash_mismatch);
  fs::remove(artefact.file(there, 4));
  auto const missing = host.swarm->add(artefact.transfer(there, {}, true));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::not_found);
}
