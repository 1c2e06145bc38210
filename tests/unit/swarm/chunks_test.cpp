#include <catch2/catch.hpp>

#include "tests/unit/swarm/fixture.hpp"

using namespace imageswarm;
using namespace imageswarm::test;

namespace {

/// Chunks of which none fills its piece, and some are equal.
struct ChunkedArtefact {
  Uuid image_id = Uuid::random();
  std::vector<std::string> chunks;
  std::string torrent;
  document::Torrent promised;

  ChunkedArtefact() {
    std::vector<torrent::Chunk> described;
    for (std::size_t const size : {200'000u, 140u, 140u, 16'384u, 70'000u}) {
      chunks.push_back(noise(size));
      described.push_back(torrent::chunk_of(std::as_bytes(std::span{chunks.back()})));
      promised.content_size += described.back().size;
    }
    auto built = torrent::build("disk.chunks", described, TimePoint{});
    REQUIRE(built);
    torrent = built->bytes;
    promised.file_size = {torrent.size()};
    promised.file_sha256 = digest_of<Sha256>(torrent);
    promised.info_hash_v2 = built->info_hash_v2;
    promised.piece_length = built->piece_length;
    promised.content_name = "disk.chunks";
    promised.chunks = document::Chunks{256_KiB, 5};
  }

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
    auto admitted = torrent::admit(torrent, promised);
    REQUIRE(admitted);
    return {image_id, std::move(*admitted), directory, directory / "resume", in_place, std::move(trackers), {}};
  }
};

}  // namespace

TEST_CASE("chunks come from a host that has them in place, and no padding is counted", "[swarm]") {
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
  CHECK(leech.status().from_peers == artefact.promised.content_size);
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
