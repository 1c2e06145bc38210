#include "daemon/control/control.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/made_up_board.hpp"

namespace imageswarm::control {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;
using test::FakeCommands;
using test::uuid;

std::set<std::string> keys(Json const& object) {
  std::set<std::string> names;
  for (auto const& [key, value] : object.items()) names.insert(key);
  return names;
}

struct Answered {
  int status;
  Json json;
};
Answered ask(FakeCommands& commands, std::string method, std::string target, std::string body = {}) {
  auto const response = handle({std::move(method), std::move(target), std::move(body)}, commands);
  CHECK(response.content_type == "application/json");
  return {response.status, Json::parse(response.body)};
}
Json get(FakeCommands& commands, std::string target) {
  auto const answered = ask(commands, "GET", std::move(target));
  REQUIRE(answered.status == 200);
  return answered.json;
}

std::set<std::string> const subscription_keys{"name",    "kind",  "url",   "epoch", "serial",
                                              "expires", "state", "fault", "error", "neighbour"};
std::set<std::string> const image_keys{"image-id", "uuid",     "name",          "image-version", "endorser",
                                       "state",    "progress", "download-rate", "upload-rate",   "bytes",
                                       "sinks",    "fault",    "error"};

TEST_CASE("a grid is deployed, or only shown, and then asked about") {
  FakeCommands commands;
  CHECK(ask(commands, "GET", "/deploy/batch").status == 404);
  auto const begun = ask(commands, "POST", "/deploy/batch", R"({"show": true})");
  CHECK(begun.status == 200);
  CHECK(keys(begun.json) == std::set<std::string>{"grid", "running", "components", "fault", "error"});
  CHECK(commands.shown.deployments.at(0).only_shown);
  commands.shown.deployments.at(0).components.emplace_back().sinks.emplace_back();
  auto const component = get(commands, "/deploy/batch")["components"][0];
  CHECK(keys(component) == std::set<std::string>{"name", "image", "form", "needs", "state", "progress", "derived-from",
                                                 "image-id", "sinks", "fault", "error"});
  CHECK(component["state"] == "waiting");
  CHECK(keys(component["sinks"][0]) == std::set<std::string>{"type", "name", "reference", "fault", "error"});
  CHECK(ask(commands, "POST", "/deploy/batch", "{}").json["fault"] == "exists");
}

TEST_CASE("status has exactly the keys of the contract, whatever the values are") {
  FakeCommands commands;
  commands.shown.images.emplace_back();
  commands.shown.images.back().sinks.emplace_back();
  commands.shown.subscriptions.emplace_back();
  auto const status = get(commands, "/status");
  CHECK(keys(status) == std::set<std::string>{"host", "version", "subscriptions", "images"});
  REQUIRE(status["subscriptions"].size() == 3);
  for (auto const& subscription : status["subscriptions"]) CHECK(keys(subscription) == subscription_keys);
  REQUIRE(status["images"].size() == 5);
  for (auto const& image : status["images"]) {
    CHECK(keys(image) == image_keys);
    CHECK(keys(image["bytes"]) == std::set<std::string>{"peers", "web-seed", "local", "uploaded"});
    for (auto const& sink : image["sinks"]) {
      CHECK(keys(sink) == std::set<std::string>{"type", "name", "state", "reference", "fault", "error"});
    }
  }
}

TEST_CASE("status shows values as numbers and names, and null where there is none") {
  FakeCommands commands;
  auto const status = get(commands, "/status");
  CHECK(status["host"] == "hv001.example.org");
  CHECK(status["version"] == IMAGESWARM_VERSION);
  CHECK(status["subscriptions"][0] == Json::parse(R"({"name": "lxcloud", "kind": "catalogue",
    "url": "https://images.example.org/catalogue.yaml", "epoch": 1, "serial": 42, "expires": "2031-06-01T00:00:00Z",
    "state": "current", "fault": null, "error": null, "neighbour": "10.0.0.7"})"));
  auto const& refused = status["subscriptions"][1];
  CHECK(refused["name"].is_null());
  CHECK(refused["kind"] == "approval-list");
  CHECK(refused["serial"].is_null());
  CHECK(refused["state"] == "refused");
  CHECK(refused["fault"] == "signer-not-listed");

  auto const& fetching = status["images"][0];
  CHECK(fetching["image-id"] == uuid('1').text());
  CHECK(fetching["image-version"] == "20310501");
  CHECK(fetching["state"] == "fetching");
  CHECK(fetching["progress"] == 0.564);
  CHECK(fetching["download-rate"] == 45'200'000);
  CHECK(fetching["bytes"] ==
        Json::parse(R"({"peers": 1200000000, "web-seed": 300000000, "local": 0, "uploaded": 30000000})"));
  CHECK(fetching["sinks"][0]["fault"] == "glance-unavailable");
  CHECK(fetching["sinks"][1]["reference"].is_null());
  CHECK(fetching["fault"].is_null());
  CHECK(status["images"][1]["progress"].is_null());
  CHECK(status["images"][1]["sinks"][1]["reference"] == "/srv/images/debian-12.qcow2");
  CHECK(status["images"][2]["fault"] == "image-backing-file");
}

TEST_CASE("the lists hold the same objects as status") {
  FakeCommands commands;
  auto const status = get(commands, "/status");
  CHECK(get(commands, "/images") == status["images"]);
  CHECK(get(commands, "/subscriptions") == status["subscriptions"]);
}

TEST_CASE("a URL's password is not shown") {
  FakeCommands commands;
  commands.shown.subscriptions[0].url = "https://ada:secret@images.example.org/catalogue.yaml?token=secret";
  CHECK_THAT(get(commands, "/status").dump(), !Contains("secret"));
}

TEST_CASE("text that is not UTF-8 does not break the answer") {
  FakeCommands commands;
  commands.shown.images[0].sinks[0].error = Error{Fault::disk_error, "writing \xff\xfe"};
  CHECK(get(commands, "/status")["images"][0]["sinks"][0]["fault"] == "disk-error");
}

TEST_CASE("what had to go, with what was done about it and what keeps it here") {
  FakeCommands commands;
  auto const hooks = get(commands, "/hooks");
  CHECK(hooks[0] == Json::parse(R"({"run": "/usr/local/sbin/tell-portal --site cern",
    "events": ["available", "recalled"], "waiting": 2, "oldest": "2031-05-02T00:00:00Z", "running": false,
    "fault": "child-failed", "error": "it ended with status 7"})"));
  CHECK(hooks[1]["events"].is_null());
  auto const recalled = get(commands, "/recalled");
  REQUIRE(recalled.size() == 1);
  auto expected = Json::parse(R"json({"name": "rocky-9", "image-version": "9.3",
    "endorser": "CN=Ada Endorser,O=Example (issuer CN=Example CA,O=Example)", "state": "recalled",
    "reason": "site-approvals serial 7 recalls name rocky-9: a hole in its login", "since": "2031-05-02T00:00:00Z",
    "unseeded": "2031-05-02T00:00:00Z", "discarded": "2031-05-02T00:00:02Z", "sinks": [
      {"type": "glance", "name": "mysite", "done": "deactivated", "at": "2031-05-02T00:00:01Z", "used-by": null,
       "fault": null, "error": null},
      {"type": "directory", "name": "/srv/images", "reference": "/srv/images/rocky-9.raw", "done": null, "at": null,
       "used-by": "a program has it open", "fault": null, "error": null}],
    "confirmed": null})json");
  expected["image-id"] = uuid('5').text();
  expected["uuid"] = Uuid::named(uuid('0'), "rocky-9").text();
  expected["sinks"][0]["reference"] = uuid('5').text();
  CHECK(recalled[0] == expected);
  auto& sink = commands.shown.departures[0].sinks[1];
  sink.effect = flow::Effect::removed;
  CHECK(get(commands, "/recalled")[0]["confirmed"] == "2031-05-02T00:00:01Z");
}

TEST_CASE("what is held back of a document is confirmed by its name") {
  FakeCommands commands;
  CHECK(ask(commands, "POST", "/confirm/lxcloud").status == 200);
  CHECK(commands.confirmed == std::vector<std::string>{"lxcloud"});
  auto const nothing = ask(commands, "POST", "/confirm/https%3A%2F%2Fother.example.org%2Fc.yaml");
  CHECK(nothing.status == 404);
  CHECK_THAT(nothing.json["error"].get<std::string>(), Contains("'https://other.example.org/c.yaml'"));
  CHECK(ask(commands, "GET", "/confirm/lxcloud").status == 405);
  CHECK(ask(commands, "POST", "/confirm").status == 404);
}

TEST_CASE("peers of an image, which may be named with escaped blanks") {
  FakeCommands commands;
  commands.shown.images[0].name = "Debian 12 (amd64)";
  auto const peers = get(commands, "/peers/Debian%2012%20(amd64)");
  REQUIRE(peers.size() == 2);
  CHECK(peers[1] == Json::parse(R"({"address": "10.0.0.3:6881", "client": "imageswarmd 0.1.0", "progress": 0.25,
    "download-rate": 15200000, "upload-rate": 1200000, "downloaded": 300000000, "uploaded": 30000000})"));
  CHECK(get(commands, "/peers/" + uuid('2').text()).empty());
}

TEST_CASE("explain gives each rule and its answer") {
  FakeCommands commands;
  auto const explained = get(commands, "/explain/windows-11");
  REQUIRE(explained.size() == 1);
  CHECK(keys(explained[0]) == std::set<std::string>{"image-id", "uuid", "name", "image-version", "endorser",
                                                    "catalogue", "state", "fault", "error", "reasons"});
  CHECK(explained[0]["state"] == "not-selected");
  CHECK(explained[0]["reasons"] ==
        Json::parse(R"([{"question": "cluster", "answer": "lxcloud is not one of wincloud", "yes": false}])"));
}

TEST_CASE("a receipt shows what was compared and who stands behind it") {
  FakeCommands commands;
  auto const receipts = get(commands, "/receipts");
  REQUIRE(receipts.size() == 1);
  CHECK(keys(receipts[0]) == std::set<std::string>{"image-id", "sink", "sink-type", "reference", "content-sha256",
                                                   "content-sha512", "size", "compared", "at", "uploaded-here",
                                                   "catalogue", "catalogue-url", "serial", "catalogue-sha256",
                                                   "endorser", "approval"});
  CHECK(receipts[0]["content-sha256"] == digest_of<Sha256>("content").hex());
  CHECK(receipts[0]["uploaded-here"] == true);
  CHECK(receipts[0]["compared"] == Json::parse(R"(["content-sha256", "content-sha512", "os-hash-sha512"])"));
}

TEST_CASE("refresh, pause and resume reach the coordinator") {
  FakeCommands commands;
  CHECK(ask(commands, "POST", "/refresh").status == 200);
  CHECK(commands.refreshes == 1);
  CHECK(ask(commands, "POST", "/pause").json["paused"] == true);
  CHECK(commands.shown.paused);
  CHECK(ask(commands, "POST", "/resume").json["paused"] == false);
  CHECK(get(commands, "/host")["upload-limit"] == 20'000'000);
}

TEST_CASE("limit changes what it names and shows both") {
  FakeCommands commands;
  auto const changed = ask(commands, "POST", "/limit", R"({"upload": "unlimited", "download": "1MB/s"})");
  CHECK(changed.status == 200);
  CHECK(changed.json["download-limit"] == 1'000'000);
  CHECK(changed.json["upload-limit"].is_null());
  CHECK(ask(commands, "POST", "/limit", R"({"upload": "2MB/s"})").json["download-limit"] == 1'000'000);
  CHECK(ask(commands, "POST", "/limit", "{}").json["upload-limit"] == 2'000'000);
  auto const far = ask(commands, "POST", "/limit", R"({"far-upload": "3MB/s", "far-download": "4MB/s"})").json;
  CHECK(far["far-upload-limit"] == 3'000'000);
  CHECK(far["far-download-limit"] == 4'000'000);
  CHECK(far["upload-limit"] == 2'000'000);
}

TEST_CASE("a limit that is not understood is refused and changes nothing") {
  auto const* body = GENERATE(R"({"upload": "quick"})", R"({"upload": 5})", R"({"upload": "0B/s"})",
                              R"({"uplaod": "5MB/s"})", "[]", "{", "", R"({"download": "1MB/s", "upload": "x"})");
  FakeCommands commands;
  auto const answered = ask(commands, "POST", "/limit", body);
  CHECK(answered.status == 400);
  CHECK(answered.json["fault"] == "usage");
  CHECK(answered.json["error"].is_string());
  CHECK(commands.shown.limits.upload_rate == Rate{20'000'000});
  CHECK(commands.shown.limits.download_rate.unlimited());
}

TEST_CASE("readiness says what it waits for") {
  FakeCommands commands;
  auto& board = commands.shown;
  auto answer = get(commands, "/ready");
  CHECK(answer["ready"] == false);
  CHECK(answer["waiting-for"] == "images");
  CHECK(answer["missing"].size() == 2);
  CHECK(get(commands, "/ready/debian-12@20310401")["ready"] == true);
  CHECK(get(commands, "/ready/debian-12")["missing"][0]["state"] == "fetching");

  board.images.erase(board.images.begin() + 2);
  board.images.erase(board.images.begin());
  CHECK(get(commands, "/ready")["ready"] == true);
  CHECK(get(commands, "/ready")["waiting-for"].is_null());
  board.subscriptions[0].serial.reset();
  CHECK(get(commands, "/ready")["waiting-for"] == "documents");
  board.first_round_done = false;
  CHECK(get(commands, "/ready")["waiting-for"] == "first-round");
}

TEST_CASE("what is not there is answered with a fault and the proper status") {
  FakeCommands commands;
  struct Case {
    std::string method, target;
    int status;
    std::string fault;
  };
  for (auto const& wrong : {Case{"GET", "/nothing", 404, "not-found"}, Case{"GET", "/", 404, "not-found"},
                            Case{"GET", "", 404, "not-found"}, Case{"GET", "/peers", 404, "not-found"},
                            Case{"GET", "/peers/fedora", 404, "not-found"}, Case{"GET", "/explain/%", 404, "not-found"},
                            Case{"GET", "/status/x", 404, "not-found"}, Case{"POST", "/status", 405, "usage"},
                            Case{"GET", "/refresh", 405, "usage"}, Case{"DELETE", "/images", 405, "usage"}}) {
    INFO(wrong.method << " " << wrong.target);
    auto const answered = ask(commands, wrong.method, wrong.target);
    CHECK(answered.status == wrong.status);
    CHECK(answered.json["fault"] == wrong.fault);
    CHECK(answered.json["error"].is_string());
  }
  CHECK(commands.refreshes == 0);
}

}  // namespace
}  // namespace imageswarm::control
