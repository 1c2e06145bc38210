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
      auto const sample = test::torrent_of(std::string(size, 'x'), 64_KiB, flavour);
      auto const admitted = admit(sample.bytes, sample.promised);
      CHECK((admitted ? "" : admitted.error().line()) == "");
    }
  }
}

TEST_CASE("the torrent of a private image has the swarm's CA in its info, and passes where that was promised") {
  auto const swarm_ca = test::SwarmPki{"swarm"}.text("ca.pem");
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    auto sample = test::torrent_of(std::string(100'000, 'x'), 64_KiB, flavour, "disk.img", swarm_ca);
    auto const admitted = admit(sample.bytes, sample.promised);
    sample.promised.ssl = false;
    CHECK(admit(sample.bytes, sample.promised).error().fault == Fault::torrent_attribute);
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
