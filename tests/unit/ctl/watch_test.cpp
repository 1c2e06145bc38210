#include "daemon/control/ctl/watch.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::ctl {
namespace {

TEST_CASE("a page that is higher than the terminal is cut, and says by how much") {
  CHECK(clipped("1\n2\n3\n", 4) == "1\n2\n3\n");
  CHECK(clipped("1\n2\n3\n4\n", 4) == "1\n2\n(2 more lines)\n");
  CHECK(clipped("1\n2\n3\n4\n", 0) == "1\n2\n3\n4\n");
}

}  // namespace
}  // namespace imageswarm::ctl
