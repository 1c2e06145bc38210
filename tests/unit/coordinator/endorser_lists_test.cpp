#include <catch2/catch.hpp>
#include <memory>
#include <optional>

#include "daemon/selection/loss.hpp"
#include "tests/support/web_server.hpp"
#include "tests/unit/coordinator/follower.hpp"

namespace imageswarm::coordinator {
namespace {

using document::Kind;
using selection::Standing;
using test::Follower;
using test::TestCa;

constexpr auto issuer = "CN=Test Issuing CA,O=Imageswarm Test";

trust::SignerPattern site_security() {
  return {*trust::DistinguishedName::parse("CN=Site Security,O=Example"), {}};
}

/// A host whose only configured document is an endorser list; Bob's catalogue is on a web server.
class ListFollower : public Follower {
public:
  flow::SubscriptionSettings list() const {
    auto settings = subscription("endorsers.yaml");
    settings.kind = Kind::endorser_list;
    settings.signers = {site_security()};
    return settings;
  }
  void publish_list(std::uint64_t serial, bool with_bob, std::string const& signer = "site-security",
                    std::uint64_t bobs_epoch = 1) const {
    document::EndorserList list;
    list.includes = includes;
    list.header = catalogue(serial).header;
    list.header.kind = Kind::endorser_list;
    list.header.name = "site";
    if (with_bob)
      list.endorsers = {{"Bob", "CN=Bob Endorser,O=Example", issuer, "", bobs_url(), "lxcloud", bobs_epoch}};
    auto const bytes = TestCa::instance().signer(signer).sign(document::write(list));
    REQUIRE(bytes);
    REQUIRE(write_file_atomically(path("endorsers.yaml"), *bytes));
  }
  std::string bobs_url() const { return server_.url() + "catalogue.yaml"; }
  /// Everything that is followed has answered.
  void follow_list() {
    follow({list()});
    run_until([this] { return documents.settled(); });
  }
  std::vector<std::string> followed() const {
    std::vector<std::string> urls;
    for (auto const& row : documents.statuses()) urls.push_back(row.url);
    return urls;
  }

  std::vector<document::Inclusion> includes;

private:
  test::WebServer server_{"/catalogue.yaml",
                          TestCa::instance().signer("bob").sign(document::write(catalogue(1))).value()};
};

TEST_CASE_METHOD(ListFollower, "a host that follows an endorser list follows the catalogues that it names") {
  publish_list(1, true);
  follow_list();
  REQUIRE(followed() == std::vector{path("endorsers.yaml").native(), bobs_url()});
  auto const row = documents.statuses()[1];
  CHECK(row.kind == Kind::catalogue);
  CHECK(row.state == state::SubscriptionState::current);
  CHECK(row.endorser == "CN=Bob Endorser,O=Example (issuer " + std::string{issuer} + ")");
  CHECK(documents.catalogues().at(0).document->content().images.size() == 1);
  CHECK(standing() == Standing::trusted);
  CHECK(documents.endorsers_known());
}

TEST_CASE_METHOD(ListFollower, "whoever is taken out of the list is followed no more, and it is known that nobody is") {
  publish_list(1, true);
  follow_list();
  publish_list(2, false);
  refresh();
  run_until([this] { return followed() == std::vector{path("endorsers.yaml").native()}; });
  CHECK(documents.endorsers_known());
}

TEST_CASE_METHOD(ListFollower, "a version of the list that is held back lets nobody go before it is confirmed") {
  publish_list(1, true);
  follow_list();
  held_back_from = 2;
  publish_list(2, false);
  refresh();
  run_until([this] { return fault() == "mass-withdrawal"; });
  CHECK(catalogues_with_offer.empty());
  CHECK(followed().size() == 2);
  REQUIRE(documents.confirm("site"));
  run_until([this] { return followed().size() == 1; });
}

TEST_CASE_METHOD(ListFollower,
                 "a list that says where a catalogue is from now on, or by which epoch, withdraws nothing") {
  publish_list(1, true);
  follow_list();
  auto const& bobs = *documents.catalogues().at(0).document;
  selection::Input present;
  present.now = clock.now();
  present.catalogues = documents.catalogues();
  auto& held = present.held.emplace_back();
  held.image = bobs.content().images.at(0);
  held.endorser = bobs.origin().signer;
  held.provenance.endorser = held.endorser.text();
  held.provenance.catalogue = "lxcloud";
  auto const loss_with_offer = [&] {
    auto then = present;
    then.catalogues = catalogues_with_offer;
    return selection::loss_between(present, then).withdrawn;
  };
  held_back_from = 2;
  publish_list(2, true, "site-security", 2);
  refresh();
  CHECK(loss_with_offer() == 0);
  publish_list(3, false);
  refresh();
  CHECK(loss_with_offer() == 1);
}

TEST_CASE_METHOD(ListFollower, "an included list that never was accepted keeps nobody in") {
  includes = {{"http://127.0.0.1:1/vo.yaml", "vo", "CN=Somebody,O=Example", issuer, {}}};
  publish_list(1, true);
  follow_list();
  CHECK(followed().size() == 3);
  CHECK(documents.endorsers_known());
}

TEST_CASE_METHOD(ListFollower, "a refused version of the list changes nothing") {
  publish_list(2, true);
  follow_list();
  publish_list(1, false);
  refresh();
  run_until([this] { return fault() == "serial-rollback"; });
  CHECK(followed().size() == 2);
  CHECK(standing() == Standing::trusted);
}

TEST_CASE_METHOD(ListFollower, "while the list is not at hand nobody counts as taken out of it") {
  follow({list()});
  CHECK_FALSE(documents.endorsers_known());
  CHECK(documents.catalogues().empty());
}

TEST_CASE_METHOD(ListFollower, "a restart does not look like a removal: no plan before the catalogues are looked at") {
  publish_list(1, true);
  follow_list();
  std::optional<std::size_t> catalogues_at_first_plan;
  bool known = false;
  auto again = documents_again([&](Documents& second) {
    if (catalogues_at_first_plan) return;
    known = second.endorsers_known();
    catalogues_at_first_plan = 0;
    for (auto const& source : second.catalogues()) *catalogues_at_first_plan += source.document ? 1 : 0;
  });
  REQUIRE(again->configure({list()}, anchors()));
  run_until([&] { return catalogues_at_first_plan.has_value(); });
  CHECK(known);
  CHECK(catalogues_at_first_plan == 1);
  run_until([&] { return again->settled(); });
}

TEST_CASE_METHOD(ListFollower,
                 "a list whose signer was revoked while the host was off names nobody, and that is known") {
  publish_list(1, true);
  follow_list();
  auto other = list();
  other.signers = {{*trust::DistinguishedName::parse("CN=Grace Endorser,O=Example"), {}}};
  auto again = documents_again([](Documents&) {});
  REQUIRE(again->configure({other}, anchors()));
  run_until([&] { return again->settled(); });
  CHECK(again->endorsers_known());
  CHECK(again->catalogues().empty());
}

TEST_CASE_METHOD(ListFollower, "who may sign another document only is refused as such") {
  publish(catalogue(1), "bobs.yaml");
  publish(catalogue(1), "graces.yaml");  // by Bob too
  auto graces = subscription("graces.yaml");
  graces.signers = {{*trust::DistinguishedName::parse("CN=Grace Endorser,O=Example"), {}}};
  follow({graces, subscription("bobs.yaml")});
  CHECK(fault() == "signer-wrong-role");
}

}  // namespace
}  // namespace imageswarm::coordinator
