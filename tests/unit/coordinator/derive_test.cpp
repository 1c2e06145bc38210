#include "daemon/coordinator/derive.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "common/trust/endorsers.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::coordinator {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using document::Kind;
using selection::Standing;
using test::TestCa;

constexpr auto signer = "CN=Site Security,O=Example";
constexpr auto issuer = "CN=Test Issuing CA,O=Imageswarm Test";

TimePoint now() {
  return TestCa::instance().now();
}

std::string url_of(std::string const& name) {
  return "https://" + name + ".example.org/";
}

document::Endorsement endorser(std::string const& who, std::string const& document = "images") {
  return {"", "CN=" + who, issuer, "", url_of(document), document, 1};
}

document::Inclusion including(std::string const& name) {
  return {url_of(name), name, signer, issuer, {}};
}

/// Subscriptions to endorser lists, and what follows from them.
class Lists {
public:
  std::shared_ptr<Subscription> add(std::string const& name, std::vector<document::Endorsement> endorsers,
                                    std::vector<document::Inclusion> includes = {}) {
    document::EndorserList list;
    list.header = {Kind::endorser_list, 1, name, 1, 1, now(), now() + 24h};
    list.endorsers = std::move(endorsers);
    list.includes = std::move(includes);
    trust::Expectation expected;
    expected.kind = Kind::endorser_list;
    expected.any_signer = true;
    auto const& ca = TestCa::instance();
    auto const bytes = ca.signer("site-security").sign(document::write(list)).value();
    auto source = std::make_shared<Subscription>(loop_, settings(name));
    source->document = Document{trust::verify_endorser_list(bytes, ca.anchors(), expected, {}, {now(), now()}).value()};
    present.push_back(source);
    return source;
  }
  std::shared_ptr<Subscription> configure(std::string const& name, std::vector<document::Endorsement> endorsers,
                                          std::vector<document::Inclusion> includes = {}) {
    configured.push_back(settings(name));
    return add(name, std::move(endorsers), std::move(includes));
  }
  static flow::SubscriptionSettings settings(std::string const& name) {
    return {url_of(name), Kind::endorser_list, {trust::pattern_of(signer, issuer).value()}, name, 1, 60s};
  }
  Derivation derived() const { return derive(configured, present); }
  /// A subscription to what was derived.
  std::shared_ptr<Subscription> follow(Derived const& derived) {
    auto source = std::make_shared<Subscription>(loop_, derived.settings);
    source->paths = derived.paths;
    return source;
  }

  std::vector<flow::SubscriptionSettings> configured;
  std::vector<std::shared_ptr<Subscription>> present;

private:
  boost::asio::io_context loop_;
};

std::vector<std::string> urls(Derivation const& derivation) {
  std::vector<std::string> urls;
  for (auto const& each : derivation.subscriptions) urls.push_back(each.settings.url);
  return urls;
}

std::vector<document::Endorsement> many_endorsers(std::string const& catalogues, int count) {
  std::vector<document::Endorsement> many;
  for (int i = 0; i < count; ++i) many.push_back(endorser("Ada", catalogues + std::to_string(i)));
  return many;
}

TEST_CASE("the catalogues of a configured list are followed with its signer, name, epoch and the list's refresh") {
  Lists lists;
  auto ada = endorser("Ada");
  ada.epoch = 3;
  lists.configure("site", {ada});
  auto const derivation = lists.derived();
  REQUIRE(derivation.subscriptions.size() == 1);
  CHECK(derivation.subscriptions[0].settings ==
        flow::SubscriptionSettings{
            url_of("images"), Kind::catalogue, {trust::pattern_of("CN=Ada", issuer).value()}, "images", 3, 60s});
}

TEST_CASE("an included list is followed first, and what it names as soon as it is at hand") {
  Lists lists;
  lists.configure("site", {}, {including("vo")});
  CHECK(urls(lists.derived()) == std::vector{url_of("vo")});
  CHECK(lists.derived().subscriptions[0].settings == Lists::settings("vo"));
  lists.add("vo", {endorser("Bob")});
  CHECK(urls(lists.derived()) == std::vector{url_of("vo"), url_of("images")});
}

TEST_CASE("a list that nothing leads to any more brings nothing about") {
  Lists lists;
  lists.configure("site", {endorser("Ada")});
  lists.add("vo", {endorser("Bob", "others")});
  CHECK(urls(lists.derived()) == std::vector{url_of("images")});
}

TEST_CASE("what the configuration says of a URL counts there") {
  Lists lists;
  lists.configure("site", {endorser("Ada"), endorser("Bob", "others")});
  lists.configured.push_back({url_of("images"), Kind::catalogue, {trust::pattern_of("CN=Eve", issuer).value()}, {}});
  CHECK(urls(lists.derived()) == std::vector{url_of("others")});
}

TEST_CASE("two endorsers of one catalogue are followed apart") {
  Lists lists;
  lists.configure("site", {endorser("Ada"), endorser("Bob")});
  CHECK(urls(lists.derived()) == std::vector{url_of("images"), url_of("images")});
}

TEST_CASE("lists bring about a thousand subscriptions at most, and it is known that there were more") {
  Lists lists;
  lists.configure("site", many_endorsers("images-", 1001));
  auto const derivation = lists.derived();
  CHECK(derivation.subscriptions.size() == 1000);
  CHECK_FALSE(derivation.complete);
  REQUIRE(derivation.left_out.size() == 1);
  CHECK_THAT(derivation.left_out[0], Contains("1000"));
}

TEST_CASE("an included list takes room from nobody else") {
  Lists lists;
  lists.configure("first", {}, {including("greedy"), including("modest")});
  lists.add("greedy", many_endorsers("images-", 1000));
  lists.add("modest", {endorser("Bob", "modest-images"), endorser("Ada", "images-999")});
  lists.configure("last", {endorser("Ada", "own-images")});
  auto const derivation = lists.derived();
  CHECK(derivation.subscriptions.size() == 1000);
  CHECK_FALSE(derivation.complete);
  auto const followed = urls(derivation);
  for (auto const* name : {"own-images", "modest-images", "images-999"}) {
    CHECK(std::ranges::find(followed, url_of(name)) != followed.end());
  }
}

TEST_CASE("where an included list goes beyond a limit it is known that somebody may be missing") {
  Lists lists;
  lists.configure("0", {}, {including("1")});
  for (int i = 1; i <= 4; ++i) lists.add(std::to_string(i), {}, {including(std::to_string(i + 1))});
  CHECK_FALSE(lists.derived().complete);
}

TEST_CASE("a circle of lists is cut and told") {
  Lists lists;
  lists.configure("site", {}, {including("vo")});
  lists.add("vo", {endorser("Bob")}, {including("site")});
  auto const derivation = lists.derived();
  CHECK(urls(derivation) == std::vector{url_of("vo"), url_of("images")});
  CHECK(derivation.complete);
  REQUIRE(derivation.left_out.size() == 1);
  CHECK_THAT(derivation.left_out[0], Contains("site (" + url_of("site") + ")") && Contains("includes itself"));
}

TEST_CASE("a list that gives no trust takes it from those whom only it names") {
  Lists lists;
  auto const site = lists.configure("site", {endorser("Ada", "ada")}, {including("vo")});
  auto const vo = lists.add("vo", {endorser("Bob", "bob")});
  auto const derivation = lists.derived();
  REQUIRE(urls(derivation) == std::vector{url_of("vo"), url_of("ada"), url_of("bob")});
  auto const ada = lists.follow(derivation.subscriptions[1]), bob = lists.follow(derivation.subscriptions[2]);
  auto const standings = [&](TimePoint when) { return std::pair{standing_of(*ada, when), standing_of(*bob, when)}; };
  CHECK(standings(now()) == std::pair{Standing::trusted, Standing::trusted});

  SECTION("expired") {
    CHECK(standings(now() + 24h) == std::pair{Standing::stale, Standing::stale});
    CHECK(standings(now() + 49h) == std::pair{Standing::stopped, Standing::stopped});
  }
  SECTION("the included one cannot be verified") {
    vo->old_fault = Error{Fault::crl_stale, ""};
    vo->stale_since = now();
    CHECK(standings(now()) == std::pair{Standing::trusted, Standing::stale});
  }
  SECTION("the included one's signer is revoked") {
    vo->old_fault = Error{Fault::cert_revoked, ""};
    CHECK(standings(now()) == std::pair{Standing::trusted, Standing::revoked});
  }
  SECTION("the outer one's signer is revoked") {
    site->old_fault = Error{Fault::cert_revoked, ""};
    CHECK(standings(now()) == std::pair{Standing::revoked, Standing::revoked});
  }
  SECTION("its own signer is revoked, whatever the lists are worth") {
    ada->old_fault = Error{Fault::cert_revoked, ""};
    CHECK(standings(now()) == std::pair{Standing::revoked, Standing::trusted});
  }
}

TEST_CASE("whom two lists name keeps the better of their standings") {
  Lists lists;
  auto const one = lists.configure("one", {endorser("Ada")});
  auto const two = lists.configure("two", {endorser("Ada")});
  auto const derivation = lists.derived();
  REQUIRE(derivation.subscriptions.size() == 1);
  auto const ada = lists.follow(derivation.subscriptions[0]);
  one->old_fault = Error{Fault::cert_revoked, ""};
  CHECK(standing_of(*ada, now()) == Standing::trusted);
  two->old_fault = Error{Fault::cert_revoked, ""};
  CHECK(standing_of(*ada, now()) == Standing::revoked);
}

}  // namespace
}  // namespace imageswarm::coordinator
