#include "common/trust/endorsers.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Contains;
using document::Endorsement;
using document::EndorserList;
using document::Inclusion;
using test::TestCa;
using Names = std::vector<std::string>;

constexpr auto list_signer = "CN=Site Security,O=Example";
constexpr auto issuer = "CN=Test Issuing CA,O=Imageswarm Test";

std::string url_of(std::string const& name) {
  return "https://" + name + ".example.org/list.yaml";
}

/// "ada" endorses the catalogue "ada-images".
Endorsement endorser(std::string const& who, std::string const& document = "images", std::uint64_t epoch = 1) {
  return {"", "CN=" + who, issuer, "", "https://images.example.org/" + document, document, epoch};
}

Inclusion including(std::string const& name, Names const& except = {}) {
  Inclusion inclusion{url_of(name), name, list_signer, issuer, {}};
  for (auto const& who : except) inclusion.except.push_back({"CN=" + who, issuer});
  return inclusion;
}

document::Header header(std::string const& name) {
  auto const now = TestCa::instance().now();
  return {document::Kind::endorser_list, 1, name, 1, 1, now, now + std::chrono::hours{1}};
}

EndorserList list_of(std::vector<Endorsement> endorsers, std::vector<Inclusion> includes = {}) {
  EndorserList list;
  list.endorsers = std::move(endorsers);
  list.includes = std::move(includes);
  return list;
}

/// Lists that have been signed and verified, by their names.
class Shelf {
public:
  void put(std::string const& name, EndorserList list) {
    auto const now = TestCa::instance().now();
    list.header = header(name);
    Expectation expected;
    expected.kind = document::Kind::endorser_list;
    expected.any_signer = true;
    auto const bytes = TestCa::instance().signer("site-security").sign(document::write(list)).value();
    lists_.insert_or_assign(
        url_of(name), verify_endorser_list(bytes, TestCa::instance().anchors(), expected, {}, {now, now}).value());
  }
  Acceptance accepted_by(EndorserList const& list) const {
    return trust::accepted_by(list, url_of("site"), [&](ListId const& id) {
      auto const known = lists_.find(id.url);
      return known == lists_.end() ? nullptr : &known->second;
    });
  }

private:
  std::map<std::string, VerifiedEndorserList> lists_;
};

Names names(Acceptance const& acceptance) {
  Names names;
  for (auto const& each : acceptance.endorsers) names.push_back(each.endorser.subject);
  return names;
}

TEST_CASE("a list accepts whom it names, and whom the lists name that it includes") {
  Shelf shelf;
  shelf.put("vo", list_of({endorser("Bob")}, {including("far")}));
  shelf.put("far", list_of({endorser("Grace")}));
  auto const accepted = shelf.accepted_by(list_of({endorser("Ada")}, {including("vo")}));
  CHECK(names(accepted) == Names{"CN=Ada", "CN=Bob", "CN=Grace"});
  REQUIRE(accepted.endorsers[0].ways.size() == 1);
  CHECK(accepted.endorsers[0].ways[0]->empty());
  REQUIRE(accepted.endorsers[2].ways.size() == 1);
  auto const& way = *accepted.endorsers[2].ways[0];
  REQUIRE(way.size() == 2);
  CHECK(way[0] == ListId{url_of("vo"), "vo", list_signer, issuer});
  CHECK(way[1].document == "far");
  CHECK(accepted.lists.size() == 2);
  CHECK(accepted.left_out.empty());
}

TEST_CASE("a list that is not at hand vouches for nobody, and is named") {
  auto const accepted = Shelf{}.accepted_by(list_of({endorser("Ada")}, {including("vo")}));
  CHECK(names(accepted) == Names{"CN=Ada"});
  REQUIRE(accepted.lists.size() == 1);
  CHECK(accepted.lists[0]->back().url == url_of("vo"));
}

TEST_CASE("an exception holds for everything that comes through that inclusion, and for nothing else") {
  Shelf shelf;
  shelf.put("vo", list_of({endorser("Mallory"), endorser("Bob")}, {including("far")}));
  shelf.put("far", list_of({endorser("Mallory", "other"), endorser("Grace")}));
  auto const except = including("vo", {"Mallory"});
  CHECK(names(shelf.accepted_by(list_of({}, {except}))) == Names{"CN=Bob", "CN=Grace"});
  CHECK(names(shelf.accepted_by(list_of({endorser("Mallory")}, {except}))) ==
        Names{"CN=Mallory", "CN=Bob", "CN=Grace"});
  CHECK(names(shelf.accepted_by(list_of({}, {except, including("far")}))) == Names{"CN=Bob", "CN=Mallory", "CN=Grace"});
  SECTION("the issuer belongs to it") {
    auto other_issuer = including("vo", {"Mallory"});
    other_issuer.except[0].issuer = "CN=Another CA";
    CHECK(names(shelf.accepted_by(list_of({}, {other_issuer}))).size() == 4);
  }
}

TEST_CASE("where two lists differ on somebody the outer one counts; where they agree both are ways") {
  Shelf shelf;
  shelf.put("vo", list_of({endorser("Ada", "images", 1), endorser("Bob")}));
  auto const accepted = shelf.accepted_by(list_of({endorser("Ada", "images", 2), endorser("Bob")}, {including("vo")}));
  REQUIRE(names(accepted) == Names{"CN=Ada", "CN=Bob"});
  CHECK(accepted.endorsers[0].endorser.epoch == 2);
  CHECK(accepted.endorsers[0].ways.size() == 1);
  CHECK(accepted.endorsers[1].ways.size() == 2);
}

TEST_CASE("one person may endorse several catalogues") {
  CHECK(names(Shelf{}.accepted_by(list_of({endorser("Ada", "one"), endorser("Ada", "two")}))).size() == 2);
}

TEST_CASE("circles, depth and number of included lists are bounded") {
  Shelf shelf;
  SECTION("a list that includes itself by way of another") {
    shelf.put("vo", list_of({endorser("Bob")}, {including("site"), including("far")}));
    shelf.put("far", list_of({endorser("Grace")}, {including("vo")}));
    auto const accepted = shelf.accepted_by(list_of({}, {including("vo")}));
    CHECK(names(accepted) == Names{"CN=Bob", "CN=Grace"});
    REQUIRE(accepted.left_out.size() == 2);
    CHECK_THAT(accepted.left_out[0], Contains(url_of("site")) && Contains("includes itself"));
    CHECK_THAT(accepted.left_out[1], Contains(url_of("vo")));
    CHECK(accepted.complete);
  }
  SECTION("four lists deep and no deeper") {
    for (int i = 1; i <= 5; ++i) {
      auto const next = std::to_string(i + 1);
      shelf.put(std::to_string(i), list_of({endorser(std::to_string(i))}, {including(next)}));
    }
    auto const accepted = shelf.accepted_by(list_of({}, {including("1")}));
    CHECK(names(accepted) == Names{"CN=1", "CN=2", "CN=3", "CN=4"});
    REQUIRE(accepted.left_out.size() == 1);
    CHECK_THAT(accepted.left_out[0], Contains(url_of("5")) && Contains("4 lists deep"));
    CHECK_FALSE(accepted.complete);
  }
  SECTION("64 inclusions in all, of which each inclusion of the outermost list has its share") {
    std::vector<Inclusion> many;
    for (int i = 0; i < 32; ++i) many.push_back(including("leaf-" + std::to_string(i)));
    shelf.put("a", list_of({}, many));
    shelf.put("b", list_of({}, {including("far")}));
    shelf.put("far", list_of({endorser("Grace")}));
    auto const accepted = shelf.accepted_by(list_of({}, {including("a"), including("b")}));
    CHECK(accepted.lists.size() == 32 + 2);
    CHECK(accepted.left_out.size() == 1);
    CHECK_THAT(accepted.left_out.back(), Contains("64 included lists"));
    CHECK_FALSE(accepted.complete);
    CHECK(names(accepted) == Names{"CN=Grace"});
  }
  SECTION("a thousand endorsers by way of one inclusion, and none of these takes the place of another's") {
    std::vector<Endorsement> many;
    for (int i = 0; i < 1001; ++i) many.push_back(endorser(std::to_string(i)));
    many.push_back(endorser("Ada"));
    shelf.put("a", list_of(many));
    shelf.put("b", list_of({endorser("Grace"), endorser("1000")}));
    auto const accepted = shelf.accepted_by(list_of({endorser("Ada")}, {including("a"), including("b")}));
    CHECK(accepted.endorsers.size() == 1 + 1000 + 2);
    CHECK(accepted.endorsers[0].ways.size() == 2);
    CHECK(accepted.endorsers.back().endorser.subject == "CN=1000");
    CHECK_FALSE(accepted.complete);
    REQUIRE(accepted.left_out.size() == 1);
    CHECK_THAT(accepted.left_out[0], Contains(url_of("a")) && Contains("1000 endorsers"));
  }
}

TEST_CASE("a name in another spelling is the same name, and an unreadable one refuses the list") {
  auto list = list_of({endorser("Ada")}, {including("vo", {"Mallory"})});
  list.header = header("site");
  list.endorsers[0].subject = "/O=Example/CN=Ada";
  list.includes[0].except[0].subject = "/O=Example/CN=Mallory";
  auto const plain = parse_plain_list(document::write(list));
  REQUIRE(plain);
  CHECK(plain->endorsers[0].subject == "CN=Ada,O=Example");
  CHECK(plain->includes[0].except[0].subject == "CN=Mallory,O=Example");

  auto const spoil = GENERATE(values<void (*)(EndorserList&)>({
      [](auto& bad) { bad.endorsers[0].subject = "Ada"; },
      [](auto& bad) { bad.endorsers[0].issuer = "CN"; },
      [](auto& bad) { bad.includes[0].subject = "Site"; },
      [](auto& bad) { bad.includes[0].issuer = "CA"; },
      [](auto& bad) { bad.includes[0].except[0].subject = "*"; },
      [](auto& bad) { bad.includes[0].except[0].issuer = "CA"; },
      [](auto& bad) {
        bad.endorsers.push_back(endorser("Ada,O=Example", "images", 2));  // the same in the other form
      },
      [](auto& bad) { bad.includes.push_back(including("vo")); },
  }));
  spoil(list);
  auto const refused = parse_plain_list(document::write(list));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::doc_field);
}

TEST_CASE("two versions of a list differ in whom they add, remove and change") {
  auto const before = list_of({endorser("Ada"), endorser("Bob"), endorser("Grace")}, {including("vo"), including("x")});
  auto const after =
      list_of({endorser("Grace"), endorser("Ada", "images", 2), endorser("Eve")}, {including("vo", {"Mallory"})});
  CHECK(differences(before, before).empty());
  auto const lines = differences(before, after);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "changed CN=Ada (issuer " + std::string{issuer} +
                        ") for images: https://images.example.org/images, epoch 2; was "
                        "https://images.example.org/images, epoch 1");
  CHECK_THAT(lines[1], Contains("added CN=Eve"));
  CHECK_THAT(lines[2], Contains("removed CN=Bob"));
  CHECK_THAT(lines[3], Contains("changed the list vo") && Contains("except CN=Mallory"));
  CHECK_THAT(lines[4], Contains("removed the list x"));
}

}  // namespace
}  // namespace imageswarm::trust
