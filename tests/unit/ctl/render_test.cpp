#include "daemon/control/ctl/render.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "tests/support/made_up_board.hpp"

namespace imageswarm::ctl {
namespace {

using Catch::Matchers::Contains;

constexpr Screen terminal{80, 40, true, false};

Json ask(std::string target) {
  static test::FakeCommands commands;
  return Json::parse(control::handle({"GET", std::move(target), ""}, commands).body);
}
TimePoint now() {
  return parse_time("2031-05-02T00:10:00Z").value();
}

/// The page that is kept for comparison in tests/data/ctl; look at it with `cat`.
std::string kept(std::string const& name) {
  return read_file(std::string{IMAGESWARM_SOURCE_DIR} + "/tests/data/ctl/" + name, 1_MiB).value();
}

TEST_CASE("status on a terminal of 80 columns") {
  CHECK(render_status(ask("/status"), ask("/host"), now(), terminal) == kept("status.txt"));
}

TEST_CASE("status where nothing but ASCII can be shown, and not on a terminal") {
  CHECK(render_status(ask("/status"), ask("/host"), now(), {}) == kept("status-ascii.txt"));
}

TEST_CASE("the lists on a terminal of 80 columns") {
  CHECK(render_images(ask("/images"), terminal) == kept("images.txt"));
  CHECK(render_subscriptions(ask("/subscriptions"), now(), terminal) == kept("subscriptions.txt"));
  CHECK(render_peers(ask("/peers/debian-12"), terminal) == kept("peers.txt"));
  CHECK(render_receipts(ask("/receipts"), terminal) == kept("receipts.txt"));
  CHECK(render_recalled(ask("/recalled"), terminal) == kept("recalled.txt"));
  CHECK(render_explain(ask("/explain/debian-12"), terminal) == kept("explain.txt"));
}

TEST_CASE("explain says yes and no in words where the marks cannot be shown") {
  CHECK_THAT(render_explain(ask("/explain/windows-11"), {}),
             Contains("  no  cluster: lxcloud is not one of wincloud\n"));
}

TEST_CASE("no line of any page is wider than its screen") {
  for (unsigned width = 40; width < 130; ++width) {
    Screen const screen{width, 24, true, false};
    for (auto const& page :
         {render_status(ask("/status"), ask("/host"), now(), screen), render_images(ask("/images"), screen),
          render_subscriptions(ask("/subscriptions"), now(), screen), render_peers(ask("/peers/debian-12"), screen)}) {
      for (auto const line : split(page, '\n')) {
        INFO(line);
        CHECK(columns_of(line) <= width);
      }
    }
  }
}

TEST_CASE("empty lists say so") {
  auto const empty = Json::array();
  CHECK(render_images(empty, terminal) == "no catalogue that this host follows lists an image\n");
  CHECK(render_subscriptions(empty, now(), terminal) == "no subscription is configured\n");
  CHECK(render_peers(empty, terminal) == "no peer is connected for this image\n");
  CHECK(render_receipts(empty, terminal) == "no image is in a sink yet\n");
}

TEST_CASE("answers of a daemon of another version are shown as far as they go") {
  auto const odd = Json::parse(R"({"host": 5, "images": [{}, 7, {"sinks": "x", "bytes": [], "progress": "half"}],
                                   "subscriptions": [null]})");
  CHECK_THAT(render_status(odd, Json{}, now(), terminal), Contains("download 0 B/s"));
  CHECK_THAT(render_images(odd["images"], terminal), Contains("IMAGE ID"));
  CHECK(render_images(Json("what?"), terminal) == render_images(Json::array(), terminal));
  CHECK_THAT(render_explain(odd["images"], terminal), Contains("nothing was asked"));
  CHECK(render_missing(odd, terminal).empty());
}

TEST_CASE("what ready waits for is named with its state, its sinks and the last fault") {
  auto const missing = render_missing(ask("/ready"), terminal);
  REQUIRE(missing.size() == 2);
  CHECK(missing[0] ==
        "debian-12@20310501 (11111111-0000-4000-8000-111111111111) is fetching, 56 %; glance mysite: working "
        "(glance-unavailable); directory /srv/images: absent");
  CHECK_THAT(missing[1], Contains("image-backing-file: the qcow2 header names a backing file"));
}

TEST_CASE("a time that has passed is said to have passed") {
  auto const later = parse_time("2031-06-01T02:00:00Z").value();
  CHECK_THAT(render_subscriptions(ask("/subscriptions"), later, terminal), Contains("2h ago"));
}

}  // namespace
}  // namespace imageswarm::ctl
