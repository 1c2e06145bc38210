#include "daemon/selection/loss.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::selection {
namespace {

TEST_CASE("a share counts when it is more than what was set, not when it is just that") {
  CHECK_FALSE(Loss{4, 2}.exceeds(50));
  CHECK(Loss{4, 3}.exceeds(50));
  CHECK(Loss{1, 1}.exceeds(99));
  CHECK_FALSE(Loss{1, 1}.exceeds(100));
  CHECK(Loss{1000, 1}.exceeds(0));
  CHECK_FALSE(Loss{0, 0}.exceeds(0));
}

}  // namespace
}  // namespace imageswarm::selection
