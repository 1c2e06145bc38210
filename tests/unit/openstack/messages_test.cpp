#include "common/openstack/messages.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace imageswarm::openstack {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

TEST_CASE("a password asks for a token of a project") {
  Cloud cloud;
  cloud.username = "ada";
  cloud.password = "secret";
  cloud.user_domain_id = "default";
  cloud.project_name = "images";
  cloud.project_domain_name = "Site";
  CHECK(Json::parse(token_request(cloud)) == Json::parse(R"({"auth": {
      "identity": {"methods": ["password"], "password": {"user":
        {"name": "ada", "domain": {"id": "default"}, "password": "secret"}}},
      "scope": {"project": {"name": "images", "domain": {"name": "Site"}}}}})"));
  cloud.user_id = "u1";
  cloud.project_id = "p1";
  CHECK(Json::parse(token_request(cloud)) == Json::parse(R"({"auth": {
      "identity": {"methods": ["password"], "password": {"user": {"id": "u1", "password": "secret"}}},
      "scope": {"project": {"id": "p1"}}}})"));
}

TEST_CASE("an application credential asks for a token without a scope") {
  Cloud cloud;
  cloud.auth_type = Cloud::AuthType::application_credential;
  cloud.application_credential_id = "abc";
  cloud.application_credential_secret = "secret";
  CHECK(Json::parse(token_request(cloud)) == Json::parse(R"({"auth": {"identity": {
      "methods": ["application_credential"], "application_credential": {"id": "abc", "secret": "secret"}}}})"));
}

TEST_CASE("a token says how long it lives, for which project, and where Glance is") {
  auto const answer = parse_token(R"({"token": {"issued_at": "2024-05-01T10:00:00.000000Z",
    "expires_at": "2024-05-01T11:00:00.000000Z", "project": {"id": "p1"}, "catalog": [
      {"type": "identity", "endpoints": [{"interface": "public", "region_id": "R", "url": "http://k"}]},
      {"type": "image", "endpoints": [{"interface": "public", "region_id": "R", "url": "http://g"},
                                      {"interface": "admin", "region": "S", "url": "http://h"}]}]}})")
                          .value();
  CHECK(answer.lifetime == seconds{3600});
  CHECK(answer.project_id == "p1");
  REQUIRE(answer.endpoints.size() == 3);
  CHECK(answer.endpoints[1].service == "image");
  CHECK(answer.endpoints[1].url == "http://g");
  CHECK(answer.endpoints[2].region == "S");
}

TEST_CASE("what is not a token is refused") {
  for (auto const* body : {"", "[]", "<html>", R"({"token": 1})", R"({"token": {}})",
                           R"({"token": {"issued_at": "yesterday", "expires_at": 3}})"}) {
    CHECK(parse_token(body).error().fault == Fault::keystone_unavailable);
  }
}

TEST_CASE("a token's catalogue may be of any shape") {
  for (auto const* catalogue : {"1", "{}", "[1]", R"([{"type": "image", "endpoints": 1}])",
                                R"([{"type": "image", "endpoints": ["x"]}])", R"([{"type": "image"}])"}) {
    auto const answer = parse_token(fmt::format(
        R"({{"token": {{"issued_at": "2024-05-01T10:00:00Z", "expires_at": 5, "catalog": {}}}}})", catalogue));
    REQUIRE(answer);
    CHECK(answer->endpoints.empty());
  }
}

TEST_CASE("Nova's servers are read by ID and name, and nothing else is taken for them") {
  CHECK(parse_instances(R"({"servers": [{"id": "a", "name": "web", "links": []}, 3, {"id": "b"}]})").value() ==
        std::vector<Instance>{{"a", "web"}, {"b", ""}});
  for (auto const* body : {"", "[]", "<html>", R"({"servers": {}})", R"({"images": []})"}) {
    CHECK(parse_instances(body).error().fault == Fault::http_protocol);
  }
}

TEST_CASE("an image is read with its own fields apart from its properties") {
  TimePoint const seen{seconds{5}};
  auto const image = parse_image(R"({"id": "i", "name": "n", "status": "active", "visibility": "private",
    "os_hidden": true, "protected": false, "size": 300, "virtual_size": 500, "os_hash_algo": "sha512",
    "os_hash_value": "ab", "min_disk": 3, "min_ram": 4, "owner": "p", "disk_format": "raw", "container_format": "bare",
    "created_at": "2024-05-01T10:00:00Z", "updated_at": "2024-05-01T10:00:07Z", "tags": ["a", "b"],
    "self": "/v2/images/i", "file": "/f", "schema": "/s", "checksum": "c", "os_distro": "debian",
    "imageswarm_image_id": "x", "locations": []})",
                                 seen)
                         .value();
  CHECK(image.id == "i");
  CHECK(image.hidden);
  CHECK_FALSE(image.is_protected);
  CHECK(image.size == ByteCount{300});
  CHECK(image.hash_algorithm == "sha512");
  CHECK(image.hash_value == "ab");
  CHECK(image.min_disk_gib == 3);
  CHECK(image.min_ram_mib == 4);
  CHECK(image.updated - image.created == seconds{7});
  CHECK(image.seen == seen);
  CHECK(image.tags == std::vector<std::string>{"a", "b"});
  CHECK(image.properties == std::map<std::string, std::string>{{"os_distro", "debian"}, {"imageswarm_image_id", "x"}});
}

TEST_CASE("an image that is being uploaded has no size and no hash yet") {
  auto const image =
      parse_image(R"({"id": "i", "status": "saving", "size": null, "os_hash_algo": null, "os_hash_value": null})", {})
          .value();
  CHECK_FALSE(image.size);
  CHECK(image.hash_value.empty());
}

TEST_CASE("what is not an image or a list of them is refused") {
  for (auto const* body : {"", "[]", "<html>", "{}", R"({"id": 1})"}) {
    CHECK(parse_image(body, {}).error().fault == Fault::glance_unavailable);
    CHECK(parse_page(body, {}).error().fault == Fault::glance_unavailable);
  }
  CHECK(parse_page(R"({"images": [{"name": "no id"}]})", {}).error().fault == Fault::glance_unavailable);
}

TEST_CASE("a page knows its next") {
  auto const page = parse_page(R"({"images": [{"id": "a"}, {"id": "b"}], "next": "/v2/images?marker=b"})", {}).value();
  CHECK(page.images.size() == 2);
  CHECK(page.next == "/v2/images?marker=b");
  CHECK(parse_page(R"({"images": []})", {}).value().next.empty());
}

TEST_CASE("a new record is hidden and private, whatever its properties say") {
  NewImage image;
  image.id = "i";
  image.disk_format = "qcow2";
  image.properties = {{"visibility", "public"}, {"os_hidden", "false"}, {"protected", "true"}, {"os_distro", "debian"}};
  auto const json = Json::parse(create_request(image));
  CHECK(json["visibility"] == "private");
  CHECK(json["os_hidden"] == true);
  CHECK(json["protected"] == false);
  CHECK(json["disk_format"] == "qcow2");
  CHECK(json["os_distro"] == "debian");
}

TEST_CASE("all changes go into one patch") {
  Changes const changes{{"os_hidden", false},
                        {"name", "n"},
                        {"min_disk", std::uint32_t{3}},
                        {"tags", std::vector<std::string>{"t"}},
                        {"a/b~c", "d"}};
  CHECK(Json::parse(patch_request(changes)) == Json::parse(R"([
    {"op": "add", "path": "/os_hidden", "value": false}, {"op": "add", "path": "/name", "value": "n"},
    {"op": "add", "path": "/min_disk", "value": 3}, {"op": "add", "path": "/tags", "value": ["t"]},
    {"op": "add", "path": "/a~1b~0c", "value": "d"}])"));
}

TEST_CASE("a property that shall be gone is removed") {
  CHECK(patch_request({{"hw_disk_bus", Gone{}}}) == R"([{"op":"remove","path":"/hw_disk_bus"}])");
}

TEST_CASE("an image is shared with projects") {
  CHECK(member_request("8d2f") == R"({"member":"8d2f"})");
  CHECK(parse_members(R"({"members":[{"member_id":"8d2f","status":"pending"},{"member_id":"77aa"}]})").value() ==
        std::vector<std::string>{"8d2f", "77aa"});
  CHECK(parse_members("{}").error().fault == Fault::glance_unavailable);
}

TEST_CASE("an error is told without its markup") {
  CHECK(error_text(R"({"message": "No image found with ID x<br /><br />\n\n\n", "code": "404 Not Found"})") ==
        "No image found with ID x");
  CHECK(error_text(R"({"error": {"code": 401, "message": "The request needs\n authentication."}})") ==
        "The request needs authentication.");
  CHECK(error_text("<html><body><h1>503 Service Unavailable</h1>\nNo server</body></html>") ==
        "503 Service Unavailable No server");
  CHECK(error_text("") == "");
  CHECK(error_text("[1]") == "[1]");
}

TEST_CASE("the date of an answer is read") {
  CHECK(format_time(parse_http_date("Fri, 20 Nov 2026 07:45:48 GMT").value()) == "2026-11-20T07:45:48Z");
  CHECK_FALSE(parse_http_date(""));
  CHECK_FALSE(parse_http_date("20 Nov 2026"));
}

}  // namespace
}  // namespace imageswarm::openstack
