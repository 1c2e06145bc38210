#include "daemon/swarm/network.hpp"

#include <catch2/catch.hpp>

using namespace imageswarm;
using namespace imageswarm::swarm;

TEST_CASE("an address is in a network or it is not, to the last bit", "[swarm][far]") {
  auto const networks = parse_networks({"10.1.0.0/16", "192.168.7.9", "2001:db8::/33"});
  REQUIRE(networks);
  for (auto const* inside : {"10.1.0.0", "10.1.255.255", "192.168.7.9", "2001:db8:7fff:ffff::1"}) {
    CHECK(holds(*networks, lt::make_address(inside)));
  }
  for (auto const* outside : {"10.0.255.255", "10.2.0.0", "192.168.7.8", "2001:db8:8000::", "::", "0.0.0.0"}) {
    CHECK_FALSE(holds(*networks, lt::make_address(outside)));
  }
  CHECK_FALSE(holds({}, lt::make_address("10.1.0.0")));
}

TEST_CASE("what is no network is refused", "[swarm][far]") {
  for (auto const* text : {"", "site", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0/8"}) {
    auto const networks = parse_networks({"10.0.0.0/8", text});
    REQUIRE_FALSE(networks);
    CHECK(networks.error().fault == Fault::config_value);
  }
}
