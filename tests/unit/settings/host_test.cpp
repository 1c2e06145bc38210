#include "daemon/settings/host.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::settings {
namespace {

TEST_CASE("a short host name is completed from the hosts file, and left alone if it is not there") {
  auto const* const hosts =
      "127.0.0.1 localhost\n# 192.0.2.9 hv1.wrong.example\n192.0.2.1\thv10.example.org hv10\n"
      "192.0.2.2\thv1.example.org hv1 # hv1.other\n";
  CHECK(qualified("hv1", hosts) == "hv1.example.org");
  CHECK(qualified("hv10", hosts) == "hv10.example.org");
  CHECK(qualified("hv2", hosts) == "hv2");
  CHECK(qualified("hv1", "") == "hv1");
}

}  // namespace
}  // namespace imageswarm::settings
