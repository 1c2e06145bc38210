#include "daemon/control/ctl/ready.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <vector>

namespace imageswarm::ctl {
namespace {

/// Asks a daemon that gives these answers one after the other; how often it was asked, and how that ended.
std::pair<std::size_t, Result<Json>> wait_for(std::vector<Result<Json>> const& answers, std::size_t patience) {
  std::size_t asked = 0;
  auto last = wait_until_ready([&] { return answers.at(asked++); }, [&] { return asked < patience; });
  return {asked, std::move(last)};
}

Json const yes{{"ready", true}};
Json const no{{"ready", false}};
Error const unknown{Fault::not_found, "no image 'debian'"};

TEST_CASE("ready ends as soon as the daemon says so") {
  auto const [asked, last] = wait_for({no, no, yes, no}, 10);
  CHECK(asked == 3);
  REQUIRE(last);
  CHECK(is_ready(*last));
}

TEST_CASE("an image that no catalogue has yet is waited for") {
  auto const [asked, last] = wait_for({fail(unknown), no, yes}, 10);
  CHECK(asked == 3);
  CHECK(is_ready(last.value()));
}

TEST_CASE("when the time is over the last answer tells what is missing") {
  auto const [asked, last] = wait_for({no, no, no}, 2);
  CHECK(asked == 2);
  CHECK_FALSE(is_ready(last.value()));
}

TEST_CASE("a daemon that does not answer is not waited for") {
  auto const [asked, last] = wait_for({no, fail(Fault::daemon_unreachable, "gone"), yes}, 10);
  CHECK(asked == 2);
  REQUIRE_FALSE(last);
  CHECK(last.error().fault == Fault::daemon_unreachable);
}

}  // namespace
}  // namespace imageswarm::ctl
