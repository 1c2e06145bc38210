#include "common/base/progress_bar.hpp"

#include <catch2/catch.hpp>

namespace imageswarm {
namespace {

using Seconds = std::chrono::duration<double>;

TEST_CASE("progress tells the share, the rate and the time that is left") {
  CHECK(progress_text({500'000'000}, {1'000'000'000}, Seconds{5}) ==
        "[############............]  50 %  500 MB of 1.00 GB  100 MB/s  5s left");
}

TEST_CASE("at the end there is nothing left, and an empty file is done at once") {
  CHECK(progress_text({10'000}, {10'000}, Seconds{1}) ==
        "[########################] 100 %  10.0 kB of 10.0 kB  10.0 kB/s");
  CHECK(progress_text({0}, {0}, Seconds{0}) == "[########################] 100 %  0 B of 0 B");
}

}  // namespace
}  // namespace imageswarm
