// What the gate refuses is in tests/attacks/torrents.cpp.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "common/torrent/torrent.hpp"
#include "tests/support/sample_torrent.hpp"
#include "tests/support/swarm_pki.hpp"

using namespace imageswarm;
using torrent::admit;

TEST_CASE("what the builder makes passes the gate, at every size", "[torrent]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    for (std::size_t const size : {1u, 16385u, 65536u, 65537u, 131072u, 400'001u}) {
      CAPTURE(size);
      torrent::Builder builder{64_KiB, flavour};
      std::string const content(size, 'x');
      builder.update(std::as_bytes(std::span{content}));
      auto const built = builder.finish("disk.img", TimePoint{});
      REQUIRE(built);
      document::Torrent promised;
      promised.file_size = {built->bytes.size()};
      promised.file_sha256 = digest_of<Sha256>(built->bytes);
      promised.info_hash_v2 = built->info_hash_v2;
      promised.info_hash_v1 = built->info_hash_v1;
      promised.piece_length = 64_KiB;
      promised.content_name = "disk.img";
      promised.content_size = {size};
      auto const admitted = admit(built->bytes, promised);
      CHECK((admitted ? "" : admitted.error().line()) == "");
    }
  }
}

TEST_CASE("the torrent of a private image has the swarm's CA in its info, and passes where that was promised") {
  auto const swarm_ca = test::SwarmPki{"swarm"}.text("ca.pem");
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    torrent::Builder builder{64_KiB, flavour};
    std::string const content(100'000, 'x');
    builder.update(std::as_bytes(std::span{content}));
    auto const built = builder.finish("disk.img", TimePoint{}, {}, swarm_ca);
    REQUIRE(built);
    document::Torrent promised;
    promised.file_size = {built->bytes.size()};
    promised.file_sha256 = digest_of<Sha256>(built->bytes);
    promised.info_hash_v2 = built->info_hash_v2;
    promised.info_hash_v1 = built->info_hash_v1;
    promised.piece_length = 64_KiB;
    promised.content_name = "disk.img";
    promised.content_size = {content.size()};
    CHECK(admit(built->bytes, promised).error().fault == Fault::torrent_attribute);
    promised.ssl = true;
    auto const admitted = admit(built->bytes, promised);
    CHECK((admitted ? "" : admitted.error().line()) == "");
  }
}

TEST_CASE("a torrent of chunks passes the gate, of two chunks and of many more than a file has keys", "[torrent]") {
  for (std::size_t const count : {2u, 400u}) {
    CAPTURE(count);
    std::vector<std::string> contents;  // some equal, as chunks of zeros are
    for (std::size_t i = 0; i < count; ++i) contents.emplace_back(1000 + i % 3 * 20'000, 'x');
    auto const sample = test::torrent_of_chunks(contents);
    auto const admitted = admit(sample.bytes, sample.promised);
    CHECK((admitted ? "" : admitted.error().line()) == "");
    if (admitted) CHECK_FALSE(torrent::bare(*admitted).empty());
  }
}
