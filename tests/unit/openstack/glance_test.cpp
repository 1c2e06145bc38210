// Against a server of ours that plays Keystone and Glance; what the real ones do is in tests/integration.

#include "common/openstack/glance.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "common/http/server.hpp"

namespace imageswarm::openstack {
namespace {

using Catch::Contains;

class Site {
public:
  explicit Site(http::Server::Handler glance) {
    auto made = http::Server::on_tcp(loop_, "127.0.0.1:0", [this, glance](http::ServerRequest const& request) {
      if (request.target != "/v3/auth/tokens") return glance(request);
      ++tokens;
      if (keystone_status != 201) return http::ServerResponse{keystone_status, "application/json", "{}"};
      return http::ServerResponse{201, "application/json",
                                  fmt::format(R"({{"token": {{"issued_at": "2024-05-01T10:00:00Z",
        "expires_at": "2024-05-01T11:00:00Z", "project": {{"id": "p1"}}, "catalog": [{{"type": "image",
        "endpoints": [{{"interface": "public", "region_id": "R", "url": "{}/image/v2/"}}]}}]}}}})",
                                              url())};
    });
    REQUIRE(made);
    server_ = std::make_unique<http::Server>(std::move(*made));
    thread_ = std::thread{[this] { loop_.run(); }};
  }
  ~Site() {
    boost::asio::post(loop_, [this] { server_.reset(); });
    guard_.reset();
    thread_.join();
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  Cloud cloud() const {
    Cloud cloud;
    cloud.name = "site";
    cloud.auth_url = url() + "/v3";
    cloud.username = "ada";
    cloud.password = "hunter2";
    return cloud;
  }

  std::atomic<int> tokens = 0;
  std::atomic<int> keystone_status = 201;

private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_ = boost::asio::make_work_guard(loop_);
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

http::ServerResponse answer(int status, std::string body) {
  return {status, "application/json", std::move(body)};
}

TEST_CASE("one token serves many calls") {
  Site site{[](auto const&) { return answer(200, R"({"id": "i", "name": "n"})"); }};
  Glance glance{site.cloud()};
  CHECK(glance.show("i", {}).value().name == "n");
  CHECK(glance.show("i", {}));
  CHECK(site.tokens == 1);
}

TEST_CASE("after a 401 a new token is asked for, once") {
  std::atomic<int> calls = 0, refusals = 1;
  Site site{[&](auto const&) { return ++calls <= refusals ? answer(401, "{}") : answer(200, R"({"id": "i"})"); }};
  Glance glance{site.cloud()};
  CHECK(glance.show("i", {}));
  CHECK(site.tokens == 2);
  refusals = 100;
  CHECK(glance.show("i", {}).error().fault == Fault::glance_unauthorized);
  CHECK(site.tokens == 3);
}

TEST_CASE("a 401 while Keystone is away blames Keystone and keeps the credentials") {
  std::atomic<bool> back = false;
  Site site{[&](auto const&) { return back ? answer(200, R"({"id": "i"})") : answer(401, "{}"); }};
  Glance glance{site.cloud()};
  REQUIRE(glance.project({}));
  site.keystone_status = 503;
  CHECK(glance.show("i", {}).error().fault == Fault::keystone_unavailable);
  site.keystone_status = 201;
  back = true;
  CHECK(glance.show("i", {}));
}

TEST_CASE("wrong credentials are said to be wrong, without showing them") {
  Site site{[](auto const&) { return answer(200, "{}"); }};
  site.keystone_status = 401;
  Glance glance{site.cloud()};
  auto const shown = glance.show("i", {});
  CHECK(shown.error().fault == Fault::keystone_unauthorized);
  CHECK_THAT(shown.error().what, Contains("cloud site") && Contains("clouds.yaml") && !Contains("hunter2"));
}

TEST_CASE("a region without Glance is named, with what the catalogue has") {
  Site site{[](auto const&) { return answer(200, "{}"); }};
  auto cloud = site.cloud();
  cloud.region_name = "S";
  auto const shown = Glance{cloud}.show("i", {});
  CHECK(shown.error().fault == Fault::keystone_catalog);
  CHECK_THAT(shown.error().what, Contains("'S'") && Contains("R/public"));
}

TEST_CASE("an image that is hidden or shown while the listings are read is found") {
  using States = std::vector<bool>;  // hidden at the first listing, the second, the third
  for (auto const& hidden : {States{false, true, true}, States{true, false, false}, States{false, false, true}}) {
    std::size_t listing = 0;
    Site site{[&](http::ServerRequest const& request) {
      bool const asks_for_hidden = request.target.find("os_hidden=true") != std::string::npos;
      auto const listed =
          hidden.at(listing++) == asks_for_hidden ? R"({"images": [{"id": "a"}]})" : R"({"images": []})";
      return answer(200, listed);
    }};
    CHECK(Glance{site.cloud()}.find("key", "value", {}).value().size() == 1);
  }
}

TEST_CASE("every page of the listings is read, and an image is found once") {
  std::vector<std::string> asked;
  Site site{[&](http::ServerRequest const& request) {
    asked.push_back(request.target);
    if (request.target.find("marker=a") != std::string::npos) return answer(200, R"({"images": [{"id": "b"}]})");
    if (request.target.find("os_hidden=true") != std::string::npos) {
      return answer(200, R"({"images": [{"id": "a", "os_hidden": true}], "next": "/v2/images?marker=a"})");
    }
    return answer(200, R"({"images": [{"id": "a", "os_hidden": false}]})");
  }};
  auto const found = Glance{site.cloud()}.find("key", "a value", {}).value();
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == "a");
  CHECK(found[0].hidden);
  REQUIRE(asked.size() == 5);
  CHECK(asked[0] == "/image/v2/images?key=a%20value&owner=p1&os_hidden=true&limit=100");
  CHECK(asked[1] == "/image/v2/images?marker=a");
}

TEST_CASE("what Glance refuses keeps its words and gets ours") {
  std::atomic<int> status = 0;
  Site site{[&](auto const&) { return answer(status, R"({"message": "No, you do not<br />"})"); }};
  Glance glance{site.cloud()};
  std::pair<int, Fault> const table[] = {
      {400, Fault::glance_rejected},    {403, Fault::glance_forbidden},   {404, Fault::glance_not_found},
      {409, Fault::glance_conflict},    {410, Fault::glance_gone},        {413, Fault::glance_quota},
      {500, Fault::glance_unavailable}, {503, Fault::glance_unavailable}, {302, Fault::glance_rejected}};
  for (auto const& [given, fault] : table) {
    status = given;
    auto const removed = glance.remove("i", {});
    CHECK(removed.error().fault == fault);
    CHECK_THAT(removed.error().what, Contains(fmt::format("DELETE /images/i answered {}: No, you do not", given)));
  }
}

TEST_CASE("a download may be longer than other answers") {
  Site site{[](auto const&) { return answer(200, std::string(17 << 20, 'x')); }};
  std::size_t size = 0;
  auto const done = Glance{site.cloud()}.download(
      "i", [&](std::span<std::byte const> data) -> Result<> { return size += data.size(), Result<>{}; }, {});
  CHECK(done);
  CHECK(size == 17u << 20);
}

}  // namespace
}  // namespace imageswarm::openstack
