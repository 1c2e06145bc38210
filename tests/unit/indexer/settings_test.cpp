#include "indexer/store/settings.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::store {
namespace {

using Catch::Contains;

TEST_CASE("settings read back as they were written") {
  Settings const written{"lxcloud", "Ada: \"Endorser\"", "", {"http://t.example.org/announce"}, {}, 2, 41};
  auto const read = parse_settings(write(written));
  REQUIRE(read);
  CHECK(write(*read) == write(written));
  CHECK(read->serial == 41);
  CHECK(read->web_seeds.empty());
}

TEST_CASE("a key that store.yaml does not have is refused with its line") {
  auto const read = parse_settings("name: lxcloud\ntracker: http://t.example.org/announce\n");
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::config_unknown_key);
  CHECK_THAT(read.error().what, Contains("line 2") && Contains("tracker"));
}

TEST_CASE("settings that no catalogue may have are refused") {
  Settings settings{"lxcloud", "Ada", "", {}, {}};
  CHECK(check(settings));
  auto wrong_name = settings, wrong_tracker = settings, wrong_seed = settings;
  wrong_name.name = "LX cloud";
  wrong_tracker.trackers = {"ftp://t.example.org/"};
  wrong_seed.web_seeds = {"https://images.example.org/images"};
  for (auto const& wrong : {wrong_name, wrong_tracker, wrong_seed}) {
    auto const checked = check(wrong);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().fault == Fault::usage);
  }
}

}  // namespace
}  // namespace imageswarm::store
