#include "daemon/state/board.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace imageswarm::state {
namespace {

TEST_CASE("an image state is read back from its name") {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(ImageState::failed); ++i) {
    auto const state = static_cast<ImageState>(i);
    names.emplace(name_of(state));
    CHECK(image_state_of(name_of(state)) == state);
  }
  CHECK(names.size() == 12);
  CHECK_FALSE(image_state_of("no-such-state"));
}

TEST_CASE("states are called as the contract of status --json has it") {
  CHECK(name_of(ImageState::not_selected) == "not-selected");
  CHECK(name_of(ImageState::not_approved) == "not-approved");
  CHECK(name_of(ImageState::registering) == "registering");
  CHECK(name_of(ImageState::failed) == "failed");
  CHECK(name_of(SubscriptionState::current) == "current");
  CHECK(name_of(SubscriptionState::unreachable) == "unreachable");
  CHECK(name_of(SinkState::absent) == "absent");
  CHECK(name_of(SinkState::failed) == "failed");
}

}  // namespace
}  // namespace imageswarm::state
