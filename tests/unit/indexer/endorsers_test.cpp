#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "common/document/model.hpp"
#include "indexer/cli.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/web_server.hpp"

namespace imageswarm::indexer {
namespace {

using Catch::Contains;
using document::EndorserList;
using test::TestCa;
using Arguments = std::vector<std::string>;

constexpr auto issuer = "CN=Test Issuing CA,O=Imageswarm Test";
constexpr auto other_signer = "CN=Grace Endorser,O=Example";

class Standing final : public Clock {
public:
  TimePoint now() const override { return TestCa::instance().now() + std::chrono::hours{1}; }
};

/// The command line and one endorser list.
class Desk {
public:
  struct Outcome {
    int status;
    std::string out, err;
    nlohmann::json json() const { return nlohmann::json::parse(out); }
  };

  Desk() { good({"init", "--name", "mysite"}); }

  Outcome run(Arguments arguments) const {
    std::ostringstream out, err;
    int const status = indexer::run(std::move(arguments), {clock_, out, err, {}});
    return {status, out.str(), err.str()};
  }
  Outcome endorsers(Arguments arguments) const {
    arguments.insert(arguments.begin(), "endorsers");
    arguments.insert(arguments.end(), {"--list", list()});
    return run(std::move(arguments));
  }
  Outcome good(Arguments arguments) const {
    auto outcome = endorsers(std::move(arguments));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome;
  }
  Outcome add(std::string const& who, std::string const& document = "images", Arguments more = {}) const {
    more.insert(more.begin(), {"add", "--subject", "CN=" + who + ",O=Example", "--issuer", issuer, "--document",
                               document, "--catalogue", "https://images.example.org/" + document});
    return endorsers(std::move(more));
  }
  Outcome include(std::string const& url, Arguments more = {}) const {
    more.insert(more.begin(),
                {"include", "--url", url, "--document", "vo", "--subject", other_signer, "--issuer", issuer});
    return endorsers(std::move(more));
  }
  Outcome sync() const {
    return endorsers({"sync", "--anchors", TestCa::instance().anchors().anchors.native(), "--json"});
  }
  Outcome sign() const {
    auto const& ca = TestCa::instance();
    return run({"sign", list(), "--certificate", ca.certificate("site-security"), "--key", ca.key("site-security"),
                "--output", signed_list()});
  }
  std::string list() const { return (directory_ / "endorsers.yaml").native(); }
  std::string signed_list() const { return (directory_ / "signed.yaml").native(); }

private:
  Standing clock_;
  test::TemporaryDirectory directory_;
};

/// The list of somebody else on a web server.
class Origin {
public:
  explicit Origin(std::vector<std::string> const& names, std::vector<document::Inclusion> includes = {}) {
    list_.includes = std::move(includes);
    publish(names);
  }
  void publish(std::vector<std::string> const& names, std::uint64_t serial = 1, std::string const& signer = "grace") {
    auto const now = TestCa::instance().now();
    list_.header = {document::Kind::endorser_list, 1, "vo", 1, serial, now, now + std::chrono::hours{24}};
    list_.endorsers.clear();
    for (auto const& name : names) {
      list_.endorsers.push_back(
          {"", "CN=" + name + ",O=Example", issuer, "", "https://vo.example.org/" + name, "vo-images", 1});
    }
    auto const content = TestCa::instance().signer(signer).sign(document::write(list_)).value();
    server_.reset();
    server_.emplace("/vo.yaml", content, "127.0.0.1", port_);
    auto const url = server_->url();
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  void include(document::Inclusion inclusion) {
    list_.includes.push_back(std::move(inclusion));
    publish({}, list_.header.serial + 1);
  }
  void vanish() { server_.reset(); }
  std::string url() const { return server_->url() + "vo.yaml"; }
  document::Inclusion inclusion() const { return {url(), "vo", other_signer, issuer, {}}; }

private:
  EndorserList list_;
  std::uint16_t port_ = 0;
  std::optional<test::WebServer> server_;
};

TEST_CASE("an endorser list goes from names to a document that verifies") {
  Desk const desk;
  REQUIRE(desk.add("Ada").status == 0);
  REQUIRE(desk.add("Bob", "others", {"--name", "Bob", "--contact", "bob@example.org"}).status == 0);
  REQUIRE(desk.sign().status == 0);
  auto const anchors = TestCa::instance().anchors().anchors.native();
  auto const verified = desk.run({"verify", desk.signed_list(), "--anchors", anchors, "--json"});
  INFO(verified.err);
  REQUIRE(verified.status == 0);
  CHECK(verified.json()["document"] == "endorser-list");
  CHECK(verified.json()["serial"] == 1);
  CHECK(verified.json()["endorsers"][0]["subject"] == "CN=Ada,O=Example");
  CHECK(verified.json()["endorsers"][1]["contact"] == "bob@example.org");
  REQUIRE(desk.sign().status == 0);
  CHECK(desk.run({"verify", desk.signed_list(), "--anchors", anchors, "--json"}).json()["serial"] == 2);
}

TEST_CASE("adding somebody again changes the keys that are given, in either form of the name") {
  Desk const desk;
  REQUIRE(desk.add("Ada", "images", {"--contact", "ada@example.org"}).status == 0);
  auto const again = desk.endorsers(
      {"add", "--subject", "/O=Example/CN=Ada", "--issuer", issuer, "--document", "images", "--epoch", "2"});
  REQUIRE(again.status == 0);
  CHECK_THAT(again.out, Contains("changed CN=Ada,O=Example") && Contains("epoch 2; was"));
  auto const shown = desk.good({"show", "--json"}).json();
  REQUIRE(shown["endorsers"].size() == 1);
  CHECK(shown["endorsers"][0]["epoch"] == 2);
  CHECK(shown["endorsers"][0]["contact"] == "ada@example.org");
  CHECK(shown["endorsers"][0]["catalogue"] == "https://images.example.org/images");
}

TEST_CASE("endorsers are removed for one catalogue or for all") {
  Desk const desk;
  for (auto const* document : {"one", "two", "three"}) REQUIRE(desk.add("Ada", document).status == 0);
  REQUIRE(desk.add("Bob").status == 0);
  desk.good({"remove", "--subject", "/O=Example/CN=Ada", "--document", "one"});
  CHECK(desk.good({"show", "--json"}).json()["endorsers"].size() == 3);
  CHECK(desk.endorsers({"remove", "--subject", "CN=Ada,O=Example", "--issuer", "CN=Other"}).status == 1);
  desk.good({"remove", "--subject", "CN=Ada,O=Example"});
  CHECK(desk.good({"show", "--json"}).json()["endorsers"].size() == 1);
  CHECK(desk.endorsers({"remove", "--subject", "CN=Ada,O=Example"}).status == 1);
}

TEST_CASE("what hosts would refuse does not come into the list") {
  Desk const desk;
  auto const wrong = GENERATE(values<Arguments>({
      {"--catalogue", "file:///etc/catalogue.yaml"},
      {"--document", "No Name"},
      {"--subject", "Ada"},
      {"--epoch", "0"},
  }));
  Arguments arguments{"add"};
  for (auto const& [option, value] : std::map<std::string, std::string>{{"--catalogue", "https://x.org/c"},
                                                                        {"--document", "c"},
                                                                        {"--subject", "CN=Ada"},
                                                                        {"--issuer", "CN=CA"},
                                                                        {"--epoch", "1"}}) {
    arguments.insert(arguments.end(), {option, option == wrong[0] ? wrong[1] : value});
  }
  auto const refused = desk.endorsers(arguments);
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains(wrong[0].substr(2) + ": "));
  CHECK(desk.good({"show", "--json"}).json()["endorsers"].empty());
}

TEST_CASE("a list that includes others is signed only after they have been looked at as they stand in it") {
  Desk const desk;
  Origin const origin{{"Bob", "Mallory"}};
  REQUIRE(desk.include(origin.url()).status == 0);
  auto const unseen = desk.sign();
  CHECK(unseen.status == 2);
  CHECK_THAT(unseen.err, Contains("endorsers sync --list"));
  CHECK(desk.good({"show", "--json"}).json()["synchronised"].is_null());

  auto const seen = desk.sync();
  INFO(seen.err);
  REQUIRE(seen.status == 0);
  CHECK(seen.json()["accepted"].size() == 2);
  CHECK(desk.sign().status == 0);

  REQUIRE(desk.include(origin.url(), {"--except-subject", "CN=Mallory,O=Example", "--except-issuer", issuer}).status ==
          0);
  CHECK(desk.sign().status == 2);
  CHECK_FALSE(desk.good({"show", "--json"}).json()["synchronised-as-it-is"].get<bool>());
  auto const without = desk.sync().json();
  REQUIRE(without["accepted"].size() == 1);
  CHECK_THAT(without["accepted"][0].get<std::string>(), Contains("CN=Bob") && Contains(origin.url()));
  CHECK(desk.sign().status == 0);
  desk.good({"remove", "--url", origin.url()});
  CHECK(desk.sign().status == 0);
}

TEST_CASE("a synchronisation tells what has changed at the origin since the last one") {
  Desk const desk;
  Origin origin{{"Ada", "Bob"}};
  REQUIRE(desk.include(origin.url()).status == 0);
  CHECK(desk.sync().json()["lists"][0]["changes"].size() == 2);
  CHECK(desk.sync().json()["lists"][0]["changes"].empty());
  origin.publish({"Bob", "Eve"}, 2);
  auto const changes = desk.sync().json()["lists"][0]["changes"];
  REQUIRE(changes.size() == 2);
  CHECK_THAT(changes[0].get<std::string>(), Contains("added CN=Eve"));
  CHECK_THAT(changes[1].get<std::string>(), Contains("removed CN=Ada"));
  CHECK_THAT(desk.good({"show"}).out, Contains("synchronised ") && Contains("CN=Eve"));
}

TEST_CASE("an included list that does not hold is told, and nothing is remembered of the attempt") {
  Desk const desk;
  Origin origin{{"Ada"}};
  REQUIRE(desk.include(origin.url()).status == 0);
  REQUIRE(desk.sync().status == 0);
  auto const url = origin.url();
  SECTION("of another signer") {
    origin.publish({"Ada", "Eve"}, 2, "bob");
    auto const refused = desk.sync();
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, Contains("refused endorser-list vo (" + url + "): signer-not-listed"));
  }
  SECTION("older than the one that was seen") {
    origin.publish({"Ada"}, 5);
    REQUIRE(desk.sync().status == 0);
    origin.publish({"Ada", "Eve"}, 4);
    CHECK_THAT(desk.sync().err, Contains("serial-rollback"));
  }
  SECTION("not there") {
    origin.vanish();
    CHECK(desk.sync().status == 1);
  }
  CHECK_THAT(desk.good({"show"}).out, !Contains("CN=Eve"));
}

TEST_CASE("lists that the included one includes count too, and a circle is refused") {
  Desk const desk;
  Origin inner{{"Eve"}};
  Origin outer{{"Ada"}, {inner.inclusion()}};
  REQUIRE(desk.include(outer.url()).status == 0);
  auto const seen = desk.sync();
  INFO(seen.err);
  REQUIRE(seen.status == 0);
  CHECK(seen.json()["lists"].size() == 2);
  CHECK_THAT(seen.json()["accepted"][1].get<std::string>(), Contains("CN=Eve") && Contains(inner.url()));

  inner.include(outer.inclusion());
  auto const circle = desk.sync();
  CHECK(circle.status == 3);
  CHECK_THAT(circle.err, Contains("doc-field") && Contains("it includes itself"));
}

}  // namespace
}  // namespace imageswarm::indexer
