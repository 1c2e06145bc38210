#include "indexer/cli.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::indexer {
namespace {

using Catch::Contains;

/// A clock that is moved by hand; the test CA's CRLs hold for 30 days from its start.
class Hand final : public Clock {
public:
  TimePoint now() const override { return time; }
  TimePoint time = test::TestCa::instance().now() + std::chrono::hours{1};
};

/// The command line in a store of its own.
class Desk {
public:
  struct Outcome {
    int status;
    std::string out, err;
    nlohmann::json json() const { return nlohmann::json::parse(out); }
  };

  Outcome run(std::vector<std::string> arguments) {
    std::ostringstream out, err;
    arguments.insert(arguments.end(), {"--store", path("store")});
    int const status = indexer::run(std::move(arguments), {clock, out, err, ask});
    return {status, out.str(), err.str()};
  }
  Outcome good(std::vector<std::string> arguments) {
    auto outcome = run(std::move(arguments));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome;
  }
  std::string path(std::string const& name) const { return (directory_ / name).native(); }
  std::string image(std::string const& name, std::string const& content) const {
    std::ofstream{directory_ / name} << content;
    return path(name);
  }
  Outcome publish(std::string const& who = "ada") {
    auto const& ca = test::TestCa::instance();
    return run({"publish", "--certificate", ca.certificate(who), "--key", ca.key(who)});
  }
  Outcome verify(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"verify", path("store/public/catalogue.yaml"), "--anchors",
                               test::TestCa::instance().anchors().anchors.native()});
    return run(std::move(more));
  }

  Hand clock;
  std::function<bool(std::string const&)> ask;

private:
  test::TemporaryDirectory directory_;
};

Desk& with_store(Desk& desk) {
  desk.good({"init", "--name", "lxcloud", "--endorser-name", "Ada Endorser"});
  return desk;
}

TEST_CASE("wrong arguments are one line and status 2") {
  Desk desk;
  auto const wrong = GENERATE(std::vector<std::string>{}, std::vector<std::string>{"eat"},
                              std::vector<std::string>{"init", "--name", "x"}, std::vector<std::string>{"add", "file"},
                              std::vector<std::string>{"publish", "--lifetime", "long"},
                              std::vector<std::string>{"verify", "x", "--anchors", "y", "--crl", "maybe"},
                              std::vector<std::string>{"verify", "x", "--anchors", "y", "--namespaces", "maybe"},
                              std::vector<std::string>{"endorsers", "remove", "--list", "x"},
                              std::vector<std::string>{"approvals", "approve", "--list", "x"});
  auto const outcome = desk.run(wrong);
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, Catch::StartsWith("imageswarm-index: usage: "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

TEST_CASE("a command that does not exist is named, with the one that may be meant") {
  Desk desk;
  CHECK_THAT(desk.run({"pulbish", "--key", "x"}).err, Contains("no command 'pulbish'; did you mean 'publish'?"));
  CHECK_THAT(desk.run({"eat"}).err, Contains("no command 'eat'"));
  CHECK_THAT(desk.run({"approvals", "aprove"}).err, Contains("no command 'aprove'; did you mean 'approve'?"));
  CHECK_THAT(desk.run({"approvals"}).err, Contains("subcommand is required"));
  CHECK_THAT(desk.run({"--frob"}).err, !Contains("no command"));
  CHECK_THAT(desk.run({"a\u202Eb"}).err, Contains("a\\xe2\\x80\\xaeb"));
}

TEST_CASE("anchors that are not there are a wrong argument") {
  Desk desk;
  REQUIRE(with_store(desk).publish().status == 0);
  auto const outcome = desk.run({"verify", desk.path("store/public/catalogue.yaml"), "--anchors", desk.path("absent")});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, Contains("usage: --anchors: ") && Contains("absent"));
}

TEST_CASE("every verb explains itself with an example") {
  Desk desk;
  for (auto const* verb : {"init", "add", "list", "show", "edit", "rename", "withdraw", "history", "endorse", "publish",
                           "rollback", "verify", "approvals", "endorsers", "sign", "swarm-ca"}) {
    auto const outcome = desk.run({verb, "--help"});
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.out, Contains(std::string{"  imageswarm-index "} + verb));
  }
  CHECK_THAT(desk.run({"--help"}).out, Contains("imageswarm-index publish"));
  CHECK_THAT(desk.run({"--version"}).out, Contains(IMAGESWARM_VERSION));
}

TEST_CASE("from an image to a catalogue that its anchors verify") {
  Desk desk;
  with_store(desk).good({"add", desk.image("disk.raw", "a disk"), "--name", "debian 12", "--vo-tag", "atlas",
                         "--vo-tag", "cms", "--property", "hw_disk_bus=virtio", "--shareable"});
  desk.good({"endorse", "debian 12", "--yes"});
  REQUIRE(desk.publish().status == 0);
  auto const verified = desk.verify({"--subject", "/O=Example/CN=Ada Endorser", "--json"});
  REQUIRE(verified.status == 0);
  CHECK(verified.json()["serial"] == 1);
  CHECK(verified.json()["images"][0]["name"] == "debian 12");
  CHECK(verified.json()["images"][0]["content-sha256"] == digest_of<Sha256>("a disk").hex());
}

TEST_CASE("a truth may stand alone or with its value, wherever it stands") {
  Desk desk;
  auto const file = with_store(desk).image("disk.raw", "a disk");
  auto const shareable = [&](std::vector<std::string> arguments) {
    auto const json = desk.good(std::move(arguments)).json();
    desk.good({"withdraw", "debian"});
    return json["shareable"].get<bool>();
  };
  CHECK(shareable({"add", "--shareable", file, "--name", "debian", "--json"}));
  CHECK(shareable({"add", "--shareable", "true", file, "--name", "debian", "--json"}));
  CHECK_FALSE(shareable({"add", file, "--shareable", "false", "--name", "debian", "--json"}));
}

TEST_CASE("a catalogue of somebody else than asked for is refused with status 3") {
  Desk desk;
  with_store(desk);
  REQUIRE(desk.publish().status == 0);
  auto const outcome = desk.verify({"--subject", "CN=Bob Endorser,O=Example"});
  CHECK(outcome.status == 3);
  CHECK_THAT(outcome.err, Contains("refused catalogue (") && Contains("signer-not-listed: "));
}

TEST_CASE("what a CA may sign is asked for as the command line says") {
  Desk desk;
  REQUIRE(with_store(desk).publish().status == 0);
  CHECK(desk.verify().status == 0);
  CHECK(desk.verify({"--namespaces", "off"}).status == 0);
  auto const outcome = desk.verify({"--namespaces", "require"});
  CHECK(outcome.status == 3);
  CHECK_THAT(outcome.err, Contains("refused catalogue (") && Contains("ca-namespace: "));
}

TEST_CASE("serials grow with every publication, and a failed one changes nothing") {
  Desk desk;
  with_store(desk);
  REQUIRE(desk.publish().status == 0);
  auto const before = *read_file(desk.path("store/public/catalogue.yaml"), 1_MiB);
  auto const failed = desk.run({"publish", "--certificate", desk.path("none.pem"), "--key", desk.path("none.key")});
  CHECK(failed.status == 2);
  CHECK_THAT(failed.err, Contains("certificate-unreadable") || Contains("key-unreadable"));
  CHECK(*read_file(desk.path("store/public/catalogue.yaml"), 1_MiB) == before);
  REQUIRE(desk.publish().status == 0);
  CHECK(desk.verify({"--json"}).json()["serial"] == 2);
}

TEST_CASE("the same content, the same version and another family under one name are refused") {
  Desk desk;
  auto const file = with_store(desk).image("disk.raw", "a disk");
  desk.good({"add", file, "--name", "debian", "--image-version", "1"});
  auto const content = desk.run({"add", file, "--name", "debian", "--image-version", "2"});
  CHECK(content.status == 1);
  CHECK_THAT(content.err, Contains("exists") && Contains("debian@1"));
  auto const other = desk.image("other.raw", "another disk");
  auto const version = desk.run({"add", other, "--name", "debian", "--image-version", "1"});
  CHECK_THAT(version.err, Contains("exists") && Contains("--image-version"));
  auto const family = desk.run({"add", other, "--name", "debian", "--family", Uuid::random().text()});
  CHECK_THAT(family.err, Contains("belongs to the family"));
  CHECK(desk.good({"list", "--json"}).json().size() == 1);
}

TEST_CASE("the same name is the same family, also when the first version is withdrawn") {
  Desk desk;
  with_store(desk).good({"add", desk.image("1", "one"), "--name", "debian", "--image-version", "1"});
  desk.good({"endorse", "--all", "--yes"});
  REQUIRE(desk.publish().status == 0);
  desk.good({"withdraw", "debian", "--reason", "old"});
  desk.good({"add", desk.image("2", "two"), "--name", "debian", "--image-version", "2"});
  auto const list = desk.good({"list", "--json"}).json();
  REQUIRE(list.size() == 2);
  CHECK(list[0]["uuid"] == list[1]["uuid"]);
}

TEST_CASE("an edit takes the endorsement back, and the publication says so instead of dropping the image") {
  Desk desk;
  with_store(desk).good({"add", desk.image("1", "one"), "--name", "debian"});
  desk.good({"endorse", "--all", "--yes"});
  REQUIRE(desk.publish().status == 0);
  CHECK_THAT(desk.good({"edit", "debian", "--description", "new words"}).out, Contains("endorse it again"));
  auto const refused = desk.publish();
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains("endorse it again, or withdraw it"));
  desk.good({"endorse", "debian", "--yes"});
  CHECK(desk.publish().status == 0);
}

TEST_CASE("an entry that was changed by hand after it was endorsed is not signed") {
  Desk desk;
  auto const added = with_store(desk).good({"add", desk.image("1", "one"), "--name", "debian", "--json"}).json();
  desk.good({"endorse", "--all", "--yes"});
  auto const file = desk.path("store/images/" + added["image-id"].get<std::string>() + ".yaml");
  auto text = *read_file(file, 1_MiB);
  text.replace(text.find("x86_64"), 6, "x86_65");
  std::ofstream{file} << text;
  auto const refused = desk.publish();
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains("changed by hand"));
}

TEST_CASE("a withdrawn image is listed as such, and its content does not come back") {
  Desk desk;
  auto const file = with_store(desk).image("1", "one");
  desk.good({"add", file, "--name", "debian", "--image-version", "1"});
  desk.good({"endorse", "--all", "--yes"});
  REQUIRE(desk.publish().status == 0);
  desk.good({"withdraw", "debian@1", "--reason", "a hole"});
  REQUIRE(desk.publish().status == 0);
  auto const verified = desk.verify({"--json"}).json();
  CHECK(verified["images"].empty());
  CHECK(verified["withdrawn"] == 1);
  auto const again = desk.run({"add", file, "--name", "debian", "--image-version", "2"});
  CHECK(again.status == 1);
  CHECK_THAT(again.err, Contains("withdrawn"));
  CHECK(desk.run({"edit", "debian@1", "--description", "x"}).status == 2);
}

TEST_CASE("withdrawing what was never published leaves nothing of it") {
  Desk desk;
  auto const file = with_store(desk).image("1", "one");
  desk.good({"add", file, "--name", "debian"});
  desk.good({"withdraw", "debian"});
  CHECK(desk.good({"list", "--json"}).json().empty());
  desk.good({"add", file, "--name", "debian"});
}

TEST_CASE("endorsing asks once and shows what will be signed") {
  Desk desk;
  with_store(desk).good({"add", desk.image("1", "one"), "--name", "debian"});
  CHECK(desk.run({"endorse", "debian"}).status == 2);  // no terminal to ask on
  int asked = 0;
  bool answer = false;
  desk.ask = [&](std::string const&) { return ++asked, answer; };
  auto const no = desk.run({"endorse", "debian"});
  CHECK(no.status == 1);
  CHECK_THAT(no.out, Contains("content-sha256: " + digest_of<Sha256>("one").hex()));
  answer = true;
  desk.good({"endorse", "--all"});
  CHECK(asked == 2);
  CHECK_THAT(desk.good({"list"}).out, Contains("endorsed"));
}

/// Versions of one family, each published.
Desk& with_versions(Desk& desk, std::vector<std::string> const& versions) {
  with_store(desk);
  for (auto const& version : versions) {
    desk.good({"add", desk.image(version, "content " + version), "--name", "debian", "--image-version", version});
    desk.good({"endorse", "--all", "--yes"});
    REQUIRE(desk.publish().status == 0);
  }
  return desk;
}

TEST_CASE("a rollback takes back what is newer in the family, and the next publication says so") {
  Desk desk;
  with_versions(desk, {"1", "2", "3"});
  desk.good({"add", desk.image("4", "content 4"), "--name", "debian", "--image-version", "4"});
  desk.good({"add", desk.image("other", "other"), "--name", "rocky", "--image-version", "9"});
  desk.good({"endorse", "rocky", "--yes"});
  auto const outcome = desk.good({"rollback", "debian@1", "--yes", "--json"});
  CHECK_THAT(outcome.err, Contains("debian@1 stays") && Contains("debian@4 was never published: it is out"));
  auto const taken = outcome.json();
  REQUIRE(taken.size() == 3);
  CHECK(taken[0]["state"].is_null());
  CHECK(taken[1]["image-version"] == "3");
  CHECK(taken[2]["reason"] == "rolled back to debian@1");
  REQUIRE(desk.publish().status == 0);
  auto const verified = desk.verify({"--json"}).json();
  CHECK(verified["serial"] == 4);
  CHECK(verified["images"].size() == 2);
  CHECK(verified["withdrawn"] == 2);
  CHECK(desk.good({"show", "debian", "--json"}).json()["image-version"] == "1");
}

TEST_CASE("a rollback asks once, and a no changes nothing") {
  Desk desk;
  with_versions(desk, {"1", "2"});
  CHECK(desk.run({"rollback", "debian@1"}).status == 2);  // no terminal to ask on
  int asked = 0;
  bool answer = false;
  desk.ask = [&](std::string const&) { return ++asked, answer; };
  auto const no = desk.run({"rollback", "debian@1"});
  CHECK(no.status == 1);
  CHECK_THAT(no.out, Contains("debian@2") && Contains("published in serial 2"));
  CHECK(desk.good({"show", "debian", "--json"}).json()["image-version"] == "2");
  answer = true;
  desk.good({"rollback", "debian@1"});
  CHECK(asked == 2);
}

TEST_CASE("with certificate and key a rollback is published at once, with one of them it is not begun") {
  Desk desk;
  with_versions(desk, {"1", "2"});
  auto const& ca = test::TestCa::instance();
  CHECK(desk.run({"rollback", "debian@1", "--yes", "--key", ca.key("ada")}).status == 2);
  CHECK(desk.good({"list", "--json"}).json()[1]["state"] == "endorsed");
  auto const outcome = desk.good(
      {"rollback", "debian@1", "--yes", "--json", "--certificate", ca.certificate("ada"), "--key", ca.key("ada")});
  CHECK(outcome.json()["serial"] == 3);
  CHECK(outcome.json()["withdrawn"] == 1);
}

TEST_CASE("there is no rollback to what hosts would not use") {
  Desk desk;
  with_versions(desk, {"1", "2", "3"});
  auto const refusal = [&](std::string const& image) {
    auto const outcome = desk.run({"rollback", image, "--yes"});
    CHECK(outcome.status == 2);
    return outcome.err;
  };
  CHECK_THAT(refusal("debian"), Contains("debian@3 is the newest"));
  desk.good({"edit", "debian@2", "--expires", "1d"});
  CHECK_THAT(refusal("debian@2"), Contains("endorse it again"));
  desk.good({"endorse", "--all", "--yes"});
  desk.clock.time += std::chrono::days{2};
  CHECK_THAT(refusal("debian@2"), Contains("expired"));
  desk.good({"rollback", "debian@1", "--yes"});
  CHECK_THAT(refusal("debian@2"), Contains("was withdrawn") && Contains("--family"));
  desk.good({"add", desk.image("0", "zero"), "--name", "debian", "--image-version", "0.9"});
  CHECK_THAT(refusal("debian@0.9"), Contains("not endorsed"));
}

TEST_CASE("after a rollback a version that was taken back is not given again, and a newer one follows") {
  Desk desk;
  with_versions(desk, {"1", "2", "3"});
  desk.good({"rollback", "debian@1", "--yes"});
  REQUIRE(desk.publish().status == 0);
  auto const file = desk.image("fixed", "fixed");
  auto const again = desk.run({"add", file, "--name", "debian", "--image-version", "3"});
  CHECK(again.status == 1);
  CHECK_THAT(again.err, Contains("debian@3") && Contains("withdrawn; give another --image-version"));
  auto const next = desk.good({"add", file, "--name", "debian", "--image-version", "4"});
  CHECK_THAT(next.out, !Contains("older than"));
  auto const between = desk.good({"add", desk.image("b", "b"), "--name", "debian", "--image-version", "2.5"});
  CHECK_THAT(between.out, Contains("debian@2.5 is older than debian@4"));
}

TEST_CASE("a rename moves one image and keeps out of other families") {
  Desk desk;
  with_store(desk).good({"add", desk.image("1", "one"), "--name", "debian"});
  desk.good({"add", desk.image("2", "two"), "--name", "rocky"});
  CHECK(desk.run({"rename", "debian", "rocky"}).status == 1);
  CHECK(desk.run({"rename", "debian", "no/name"}).status == 2);
  desk.good({"rename", "debian", "bookworm"});
  CHECK(desk.good({"show", "bookworm", "--json"}).json()["name"] == "bookworm");
  CHECK(desk.run({"show", "debian"}).status == 1);
}

TEST_CASE("a failure with --json tells its word") {
  Desk desk;
  auto const outcome = desk.run({"list", "--json"});
  CHECK(outcome.status == 1);
  CHECK(outcome.json()["fault"] == "not-found");
}

TEST_CASE("an approval list goes from rules to a document that verifies, serial by serial") {
  Desk desk;
  auto const list = desk.path("approvals.yaml"), signed_list = desk.path("signed.yaml");
  auto const& ca = test::TestCa::instance();
  std::vector<std::string> const sign{
      "sign",     list,       "--certificate", ca.certificate("site-security"), "--key", ca.key("site-security"),
      "--output", signed_list};
  desk.good({"approvals", "init", "--list", list, "--name", "mysite"});
  desk.good({"approvals", "approve", "--list", list, "--endorser", "CN=Ada Endorser,O=Example", "--name", "debian-*"});
  desk.good({"approvals", "approve", "--list", list, "--vo-tag", "atlas"});
  CHECK(desk.run({"approvals", "recall", "--list", list, "--vo-tag", "atlas"}).status == 2);  // no reason
  desk.good({"approvals", "recall", "--list", list, "--vo-tag", "atlas", "--reason", "a hole"});
  auto const rules = desk.good({"approvals", "show", "--list", list, "--json"}).json();
  CHECK(rules["approve"].size() == 1);
  CHECK(rules["recall"][0]["reason"] == "a hole");

  CHECK(desk.good(sign).status == 0);
  std::filesystem::rename(signed_list, desk.path("moved.yaml"));  // the count goes on without it
  desk.good({"approvals", "remove", "--list", list, "--vo-tag", "atlas"});
  desk.good(sign);
  auto const verified = desk.good({"verify", signed_list, "--anchors", ca.anchors().anchors, "--json"}).json();
  CHECK(verified["document"] == "approval-list");
  CHECK(verified["serial"] == 2);
  CHECK(verified["recall"] == 0);
  CHECK(desk.run({"approvals", "remove", "--list", list, "--vo-tag", "atlas"}).status == 1);
  CHECK(desk.run({"approvals", "show", "--list", signed_list}).status == 2);
}

}  // namespace
}  // namespace imageswarm::indexer
