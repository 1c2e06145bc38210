#include "common/openstack/cloud.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

namespace imageswarm::openstack {
namespace {

using Catch::Contains;

/// A directory with the two files in it.
class Files {
public:
  explicit Files(std::string_view clouds, std::string_view secure = {}) {
    std::string name = std::filesystem::temp_directory_path() / "imageswarm-cloud-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    write(directory_ / "clouds.yaml", clouds);
    if (!secure.empty()) write(directory_ / "secure.yaml", secure);
  }
  ~Files() { std::filesystem::remove_all(directory_); }
  Result<Cloud> load(std::string_view cloud) const { return load_cloud(directory_ / "clouds.yaml", cloud); }

private:
  static void write(std::filesystem::path const& path, std::string_view text) {
    std::ofstream{path} << text;
    std::filesystem::permissions(path, std::filesystem::perms{0600});
  }
  std::filesystem::path directory_;
};

constexpr std::string_view by_password = R"(clouds:
  other:
    auth_type: v3oidcaccesstoken
  site:
    auth:
      auth_url: https://keystone.example:5000/
      username: ada
      password: 'p: w'
      project_name: images
      user_domain_name: People
    region_name: RegionOne
    interface: internalURL
    identity_api_version: 3
    api_timeout: 15
    volume_api_version: 3
    cacert: /etc/ssl/site.pem
    verify: true
)";

TEST_CASE("an entry with a password is read, and what is not for us is passed over") {
  auto const cloud = Files{by_password}.load("site").value();
  CHECK(cloud.auth_type == Cloud::AuthType::password);
  CHECK(cloud.auth_url == "https://keystone.example:5000/v3");
  CHECK(cloud.username == "ada");
  CHECK(cloud.password == "p: w");
  CHECK(cloud.project_name == "images");
  CHECK(cloud.user_domain_name == "People");
  CHECK(cloud.user_domain_id.empty());
  CHECK(cloud.project_domain_id == "default");
  CHECK(cloud.region_name == "RegionOne");
  CHECK(cloud.interface == "internal");
  CHECK(cloud.tls.ca == "/etc/ssl/site.pem");
  CHECK(cloud.tls.verify);
  CHECK(cloud.api_timeout == std::chrono::seconds{15});
}

TEST_CASE("secrets may stand in secure.yaml") {
  Files const files{R"(clouds:
  site:
    auth_type: v3applicationcredential
    auth:
      auth_url: http://k/v3
      application_credential_id: abc
      application_credential_secret: see-secure-yaml
    insecure: true
    regions:
      - name: North
      - South
)",
                    R"(clouds:
  site:
    auth: {application_credential_secret: hidden}
)"};
  auto const cloud = files.load("site").value();
  CHECK(cloud.auth_type == Cloud::AuthType::application_credential);
  CHECK(cloud.application_credential_id == "abc");
  CHECK(cloud.application_credential_secret == "hidden");
  CHECK_FALSE(cloud.tls.verify);
  CHECK(cloud.region_name == "North");
}

TEST_CASE("a project above auth is read, as old files have it") {
  auto const cloud =
      Files{"clouds:\n  a:\n    project_name: p\n    auth: {auth_url: 'http://k', username: u, password: w}\n"}.load(
          "a");
  CHECK(cloud.value().project_name == "p");
}

TEST_CASE("what is wrong is named with file, cloud and key, and no secret") {
  auto const error = [](std::string_view auth, std::string_view rest = "") {
    auto const text = fmt::format("clouds:\n  a:\n    auth: {{{}}}\n{}", auth, rest);
    auto const cloud = Files{text}.load("a");
    REQUIRE_FALSE(cloud);
    CHECK(cloud.error().fault == Fault::config_value);
    CHECK_THAT(cloud.error().what, Contains("clouds.yaml: cloud a: ") && !Contains("hunter2"));
    return cloud.error().what;
  };
  CHECK_THAT(error("username: u, password: hunter2, project_name: p"), Contains("`auth_url` is missing"));
  CHECK_THAT(error("auth_url: 'ftp://k', username: u, password: hunter2, project_name: p"), Contains("http or https"));
  CHECK_THAT(error("auth_url: 'http://k', password: hunter2, project_name: p"), Contains("`username`"));
  CHECK_THAT(error("auth_url: 'http://k', username: u, project_name: p"), Contains("`password`"));
  CHECK_THAT(error("auth_url: 'http://k', username: u, password: hunter2"), Contains("`project_name`"));
  auto const good = "auth_url: 'http://k', username: u, password: hunter2, project_name: p";
  CHECK_THAT(error(good, "    interface: secret\n"), Contains("`interface`"));
  CHECK_THAT(error(good, "    verify: perhaps\n"), Contains("`verify`"));
  CHECK_THAT(error(good, "    api_timeout: 0\n"), Contains("`api_timeout`"));
  CHECK_THAT(error(good, "    auth_type: v3totp\n"), Contains("`auth_type`"));
  CHECK_THAT(error(good, "    identity_api_version: 2.0\n"), Contains("`identity_api_version`"));
}

TEST_CASE("a file or a cloud that is not there is named, with what is there") {
  auto const cloud = Files{by_password}.load("sight");
  CHECK(cloud.error().fault == Fault::config_value);
  CHECK_THAT(cloud.error().what, Contains("no cloud 'sight'; it has other, site"));
  CHECK(load_cloud("/nonexistent/clouds.yaml", "a").error().fault == Fault::config_missing);
}

TEST_CASE("YAML that we do not read is a syntax error with its line") {
  auto const cloud = Files{"clouds:\n  a: &x\n    b: c\n"}.load("a");
  CHECK(cloud.error().fault == Fault::config_syntax);
  CHECK_THAT(cloud.error().what, Contains("line 2"));
}

}  // namespace
}  // namespace imageswarm::openstack
