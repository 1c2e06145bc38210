#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "common/base/text.hpp"
#include "daemon/control/control.hpp"
#include "tests/support/made_up_board.hpp"

namespace imageswarm::control {
namespace {

using Catch::Matchers::Contains;

std::string page(state::Board const& board) {
  auto const response = handle_metrics({"GET", "/metrics", ""}, board);
  REQUIRE(response.status == 200);
  CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
  return response.body;
}

TEST_CASE("the metrics show the board") {
  auto const text = page(test::made_up_board());
  for (auto const* line :
       {"imageswarm_build_info{version=\"" IMAGESWARM_VERSION "\"} 1\n", "imageswarm_images{state=\"active\"} 1\n",
        "imageswarm_hook_waiting{hook=\"/usr/local/sbin/tell-portal --site cern\"} 2\n",
        "imageswarm_images{state=\"recalled\"} 0\n", "name=\"debian-12\",source=\"peers\"} 1200000000\n",
        "name=\"debian-12\",source=\"local\"} 2770000000\n", "imageswarm_download_bytes_per_second 45200000\n",
        "imageswarm_upload_bytes_per_second 4600000\n", "imageswarm_upload_limit_bytes_per_second 20000000\n",
        "imageswarm_download_limit_bytes_per_second +Inf\n", "imageswarm_receipts{sink=\"mysite\"} 1\n",
        "imageswarm_departures_unconfirmed 1\n", "imageswarm_faults_total{fault=\"glance-unavailable\"} 3\n",
        "imageswarm_sink_images{sink=\"mysite\",state=\"present\"} 1\n", "state=\"refused\"} 1\n"}) {
    CHECK_THAT(text, Contains(line));
  }
  CHECK_THAT(text, Contains("imageswarm_subscription_expires_timestamp_seconds{kind=\"catalogue\",name=\"lxcloud\"") &&
                       Contains("} 1938038400\n"));
}

TEST_CASE("two endorsers of one catalogue have samples of their own") {
  auto board = test::made_up_board();
  board.subscriptions = {board.subscriptions.front(), board.subscriptions.front()};
  board.subscriptions[0].endorser = "CN=Ada (issuer CN=CA)";
  board.subscriptions[1].endorser = "CN=Bob (issuer CN=CA)";
  CHECK_THAT(page(board),
             Contains("endorser=\"CN=Ada (issuer CN=CA)\"") && Contains("endorser=\"CN=Bob (issuer CN=CA)\""));
}

TEST_CASE("each metric has its help and each sample its metric, also on an empty board") {
  for (auto const& board : {state::Board{}, test::made_up_board()}) {
    auto const text = page(board);
    std::set<std::string_view> helped;
    for (auto const line : split(trimmed(text), '\n')) {
      if (line.starts_with("# HELP ")) {
        auto const name = split(line, ' ')[2];
        CHECK(name.starts_with("imageswarm_"));
        helped.insert(name);
      } else if (!line.starts_with("#")) {
        CHECK(helped.contains(line.substr(0, line.find_first_of("{ "))));
      }
    }
  }
}

TEST_CASE("only the metrics page is served, and no secret of a URL is on it") {
  auto board = test::made_up_board();
  board.subscriptions[0].url = "https://ada:secret@images.example.org/catalogue.yaml?token=secret";
  CHECK_THAT(page(board), !Contains("secret"));
  CHECK(handle_metrics({"GET", "/", ""}, board).status == 404);
  CHECK(handle_metrics({"POST", "/metrics", ""}, board).status == 405);
}

}  // namespace
}  // namespace imageswarm::control
