#include "daemon/reuse/sources.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/sample_torrent.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace imageswarm;

namespace {

constexpr auto piece = 64_KiB;

reuse::Known known(test::TemporaryDirectory const& directory, test::SampleTorrent const& sample) {
  std::ofstream{directory / "a.torrent", std::ios::binary} << sample.bytes;
  return {sample.promised, directory / "a.torrent", directory.path()};
}

}  // namespace

TEST_CASE("an artefact that was verified is a source of its pieces", "[reuse]") {
  test::TemporaryDirectory const directory;
  auto const sample = test::torrent_of(test::noise(200'000), piece);
  auto const sources = reuse::sources_among({known(directory, sample)});
  REQUIRE(sources.size() == 1);
  CHECK(sources[0].path == directory / "disk.img");
  CHECK(sources[0].piece_length == piece);
  CHECK(sources[0].pieces == torrent::piece_hashes_of(sample.admitted()).files[0].pieces);
}

TEST_CASE("an artefact without its torrent file is no source", "[reuse]") {
  test::TemporaryDirectory const directory;
  auto const artefact = known(directory, test::torrent_of(test::noise(200'000), piece));
  SECTION("no torrent file any more") {
    std::filesystem::remove(artefact.torrent);
    CHECK(reuse::sources_among({artefact}).empty());
  }
  SECTION("a torrent file that is not as signed") {
    std::ofstream{artefact.torrent, std::ios::binary} << "changed";
    CHECK(reuse::sources_among({artefact}).empty());
  }
}
