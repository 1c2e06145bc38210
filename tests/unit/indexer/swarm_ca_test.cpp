#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/torrent/bencode.hpp"
#include "indexer/cli.hpp"
#include "tests/support/swarm_pki.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::indexer {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

class MovableClock final : public Clock {
public:
  TimePoint now() const override { return SystemClock{}.now() + later; }
  std::chrono::hours later{0};
};

/// A store whose swarm CA is that of `pki`, unless `with_ca` is false.
class Desk {
public:
  explicit Desk(bool with_ca = true) {
    std::vector<std::string> init{"init", "--name", "lxcloud", "--endorser-name", "Ada"};
    init.insert(init.end(), {"--web-seed", "https://images.example.org/images/"});
    if (with_ca) init.insert(init.end(), {"--swarm-ca", (pki.path() / "ca.pem").native()});
    CHECK(run(init) == "");
  }

  /// What it says when it fails.
  std::string run(std::vector<std::string> arguments) {
    std::ostringstream out, err;
    arguments.insert(arguments.end(), {"--store", root().native(), "--json"});
    int const status = indexer::run(std::move(arguments), {clock, out, err, {}});
    json = status == 0 && !out.str().empty() ? nlohmann::json::parse(out.str()) : nlohmann::json{};
    return status == 0 ? "" : err.str();
  }
  std::string add(std::string const& name, std::string const& content, std::vector<std::string> options = {}) {
    std::ofstream{directory_ / "disk.raw"} << content;
    options.insert(options.begin(), {"add", (directory_ / "disk.raw").native(), "--name", name, "--torrent-ssl"});
    return run(std::move(options));
  }
  std::string publish() {
    auto const& ca = test::TestCa::instance();
    auto const said = run({"endorse", "--all", "--yes"});
    return said + run({"publish", "--certificate", ca.certificate("ada"), "--key", ca.key("ada")});
  }
  fs::path root() const { return directory_ / "store"; }
  std::string text(fs::path const& file) const {
    std::ifstream stream{root() / file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }

  test::SwarmPki pki{"swarm"};
  nlohmann::json json;
  MovableClock clock;

private:
  test::TemporaryDirectory directory_;
};

TEST_CASE("no other directory holds a private image for a moment") {
  Desk desk;
  REQUIRE(desk.run({"list"}) == "");
  auto const before = fs::last_write_time(desk.root() / "artefacts");
  auto const layout = GENERATE(as<std::string>{}, "file", "chunks");
  REQUIRE(desk.add("payroll", std::string(200'000, 's'), {"--torrent-layout", layout}) == "");
  CHECK(fs::exists(desk.root() / "private" / std::string{desk.json["image-id"]}));
  CHECK(fs::last_write_time(desk.root() / "artefacts") == before);
}

TEST_CASE("a private image is called by its ID, has the CA in its torrent, and lies outside of public/") {
  Desk desk;
  REQUIRE(desk.add("payroll", "secret content") == "");
  auto const entry = desk.json;
  std::string const image_id = entry["image-id"];
  CHECK(entry["torrent-ssl"] == true);
  CHECK(entry["torrent-content-name"] == image_id);
  REQUIRE(desk.publish() == "");
  CHECK(desk.text(fs::path{"private"} / image_id) == "secret content");
  CHECK((fs::status(desk.root() / "private").permissions() & fs::perms::others_all) == fs::perms::none);
  for (auto const& file : fs::recursive_directory_iterator{desk.root() / "public"}) {
    CHECK_FALSE(file.path().filename() == image_id);
    if (file.is_regular_file()) CHECK_THAT(desk.text(file.path()), !Contains("secret content"));
  }
  auto const torrent = desk.text(fs::path{"public/torrents"} / (image_id + ".torrent"));
  auto const read = torrent::decode(torrent);
  REQUIRE(read);
  CHECK(*read->find("info")->text("ssl-cert") == desk.pki.text("ca.pem"));
  CHECK_FALSE(read->find("url-list"));
  CHECK_THAT(desk.text("public/catalogue.html"),
             Contains("only hosts with a certificate") && !Contains("images/" + image_id));

  REQUIRE(desk.run({"withdraw", "payroll"}) == "");
  REQUIRE(desk.publish() == "");
  CHECK_FALSE(fs::exists(desk.root() / "private" / image_id));
}

TEST_CASE("a swarm CA can be named or replaced later, and images keep the one that they were added with") {
  Desk desk{false};
  CHECK_THAT(desk.add("payroll", "1"), Contains("usage") && Contains("no swarm CA"));
  REQUIRE(desk.run({"swarm-ca", (desk.pki.path() / "ca.pem").native()}) == "");
  REQUIRE(desk.add("payroll", "1") == "");
  std::string const first = desk.json["torrent-name"];
  test::SwarmPki const other{"other"};
  REQUIRE(desk.run({"swarm-ca", (other.path() / "ca.pem").native()}) == "");
  REQUIRE(desk.add("payslips", "2") == "");
  std::string const second = desk.json["torrent-name"];
  CHECK_THAT(desk.text("torrents/" + first), Contains(desk.pki.text("ca.pem")) && !Contains(other.text("ca.pem")));
  CHECK_THAT(desk.text("torrents/" + second), Contains(other.text("ca.pem")));
  CHECK(desk.publish() == "");
}

TEST_CASE("a swarm CA that would guard nothing is refused, and its key never gets into the store") {
  Desk desk{false};
  auto const path = [&](std::string const& name) { return (desk.pki.path() / name).native(); };
  desk.pki.issue("host", "host", "DNS:*");
  CHECK_THAT(desk.run({"swarm-ca", path("host.pem")}), Contains("usage") && Contains("is not a CA"));
  CHECK_THAT(desk.run({"swarm-ca", path("missing.pem")}), Contains("not-found"));
  desk.clock.later = std::chrono::hours{24 * 4000};
  CHECK_THAT(desk.run({"swarm-ca", path("ca.pem")}), Contains("cert-expired"));
  desk.clock.later = {};
  CHECK_THAT(desk.run({"init", "--name", "x", "--endorser-name", "Ada", "--swarm-ca", path("host.pem")}),
             Contains("is not a CA"));
  test::shell(desk.pki.path(), "cat ca.key ca.pem >both.pem");
  REQUIRE(desk.run({"swarm-ca", path("both.pem")}) == "");
  CHECK(desk.text("swarm-ca.pem") == desk.pki.text("ca.pem"));
}

}  // namespace
}  // namespace imageswarm::indexer
