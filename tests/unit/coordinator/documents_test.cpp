#include "daemon/coordinator/documents.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stop_token>

#include "tests/unit/coordinator/follower.hpp"

namespace imageswarm::coordinator {
namespace {

using selection::Standing;
using state::SubscriptionState;
using test::Follower;
using test::TestCa;

/// In the place of every list of the anchors: that of the issuing CA is another one from now on.
void install(Follower const& host, std::filesystem::path const& crl) {
  test::shell(host.path("anchors"),
              "for list in *.r0; do openssl crl -noout -issuer -in $list | grep -q 'Issuing' && cp '" + crl.native() +
                  "' $list; done; true");
}

TEST_CASE_METHOD(Follower, "a new version takes the place of the old one") {
  publish(catalogue(1));
  follow({subscription()});
  CHECK(serial() == 1);
  publish(catalogue(2));
  refresh();
  CHECK(serial() == 2);
  CHECK(status().state == SubscriptionState::current);
}

TEST_CASE_METHOD(Follower, "a changed set of subscriptions leaves those alone that stay") {
  publish(catalogue(1));
  auto another = catalogue(7);
  another.header.name = "another";
  publish(another, "other.yaml");
  follow({subscription()});
  std::filesystem::remove(path("catalogue.yaml"));
  follow({subscription("other.yaml"), subscription()});
  CHECK(documents.statuses().back().refreshed);  // made anew it would never have had an answer
  follow({subscription()});
  CHECK(documents.statuses().size() == 1);
  CHECK(documents.statuses().back().refreshed);  // made anew it would never have had an answer
}

TEST_CASE_METHOD(Follower, "a document that is verified again is not made anew") {
  publish(catalogue(1));
  follow({subscription()});
  auto const before = documents.catalogues().front().document;
  refresh();
  CHECK(documents.catalogues().front().document == before);
}

TEST_CASE_METHOD(Follower, "no catalogue puts off a recall, however slow it is") {
  document::ApprovalList list;
  list.header = catalogue(1).header;
  list.header.kind = document::Kind::approval_list;
  list.header.name = "site";
  publish(document::write(list), "approvals.yaml");
  publish(catalogue(1));
  auto approvals = subscription("approvals.yaml");
  approvals.kind = document::Kind::approval_list;
  follow({subscription(), approvals});

  std::stop_source slow;  // what a web server can do that sends a byte now and then
  for (int i = 0; i < 2; ++i) {
    workers.run(
        [](std::stop_token const& stop) {
          std::mutex mutex;
          std::condition_variable_any given_up;
          std::unique_lock lock{mutex};
          given_up.wait(lock, stop, [] { return false; });
          return 0;
        },
        [](int) {}, slow);
  }
  document::Rule rule;
  rule.all = true;
  rule.reason = "a hole";
  list.recall = {rule};
  list.header.serial = 2;
  publish(document::write(list), "approvals.yaml");
  documents.refresh_now();
  run_until([this] {
    auto const source = documents.approvals().front();
    return source.document && source.document->content().recall.size() == 1;
  });
  CHECK(serial() == 1);
  slow.request_stop();
}

TEST_CASE_METHOD(Follower, "a revocation list that is replaced counts at once, though no source answers") {
  publish(catalogue(1));
  follow({subscription()});
  std::filesystem::remove(path("catalogue.yaml"));
  auto const crl = path("bob-revoked.pem");
  test::shell(test::TestCa::instance().path(),
              "cp -r . '" + path("ca").native() + "' && cd '" + path("ca").native() +
                  "' && openssl ca -config ca/issuing.cnf -revoke ca/bob.leaf && openssl ca -config ca/issuing.cnf "
                  "-gencrl -out '" +
                  crl.native() + "'");

  install(*this, crl);
  clocks.wall += std::chrono::minutes{1};  // the list holds from now on
  documents.judge_again();
  run_until([this] { return standing() == Standing::revoked; });
  CHECK(said[Fault::cert_revoked] == 1);

  SECTION("and counts on when no list can be checked any more") {
    install(*this, test::TestCa::instance().path() / "crl/stale.pem");
    refresh();
    CHECK(standing() == Standing::revoked);
  }
}

TEST_CASE_METHOD(Follower, "a stale revocation list ends new trust, a fresh one gives it back at once") {
  publish(catalogue(1));
  follow({subscription()});
  auto const fresh = test::TestCa::instance().path() / "crl/before.pem";
  install(*this, test::TestCa::instance().path() / "crl/stale.pem");
  documents.judge_again();
  run_until([this] { return standing() == Standing::stale; });
  CHECK(fault() == "crl-stale");
  CHECK(serial() == 1);
  install(*this, fresh);
  documents.judge_again();
  run_until([this] { return standing() == Standing::trusted; });
  CHECK(fault().empty());
  CHECK(status().state == SubscriptionState::current);
}

TEST_CASE_METHOD(Follower, "a document that was refused for its revocation list is asked for again with the new one") {
  install(*this, test::TestCa::instance().path() / "crl/stale.pem");
  publish(catalogue(1));
  follow({subscription()});
  CHECK(fault() == "crl-stale");
  CHECK(serial() == 0);
  install(*this, test::TestCa::instance().path() / "crl/before.pem");
  documents.judge_again();
  run_until([this] { return serial() == 1; });
  CHECK(fault().empty());
}

TEST_CASE_METHOD(Follower, "while the clock cannot be believed nothing is accepted and nothing expires") {
  publish(catalogue(1));
  follow({subscription()});
  publish(catalogue(2));
  clocks.wall += std::chrono::days{60};  // the catalogue would be expired
  refresh();
  CHECK(serial() == 1);
  CHECK(fault() == "clock-jump");
  CHECK(status().state == SubscriptionState::refused);
  CHECK(standing() == Standing::trusted);
  CHECK(documents.any_refused());
  clocks.wall -= std::chrono::days{60};
  refresh();
  CHECK(serial() == 2);
  CHECK(fault().empty());
}

TEST_CASE_METHOD(Follower, "a time that was only reckoned during a jump does not become the floor") {
  publish(catalogue(1));
  follow({subscription()});
  clocks.since_boot += std::chrono::hours{2};  // by what was believed it is two hours later than the clock says
  refresh();
  CHECK(fault() == "clock-jump");
  documents.judge_again();
  refresh();
  refresh();
  CHECK(fault().empty());
}

TEST_CASE_METHOD(Follower, "a jump that two refreshes agree on counts") {
  publish(catalogue(1));
  follow({subscription()});
  clocks.wall += std::chrono::hours{29 * 24 + 12};
  refresh();
  CHECK(standing() == Standing::trusted);
  refresh();
  refresh();
  CHECK(standing() == Standing::stopped);
  CHECK(fault() == "doc-expired");
}

TEST_CASE_METHOD(Follower, "a version that is held back is not in use before it is confirmed") {
  publish(catalogue(1));
  follow({subscription()});
  held_back_from = 2;
  publish(catalogue(2));
  refresh();
  CHECK(serial() == 1);
  CHECK(fault() == "mass-withdrawal");
  CHECK(status().state == SubscriptionState::refused);
  CHECK(standing() == Standing::trusted);
  refresh();
  CHECK(fault() == "mass-withdrawal");

  SECTION("by name") {
    REQUIRE(documents.confirm("lxcloud"));
    CHECK(serial() == 2);
    CHECK(fault().empty());
    CHECK(documents.confirm("lxcloud").error().fault == Fault::not_found);
    refresh();
    CHECK(serial() == 2);
    CHECK(fault().empty());
  }
  SECTION("by URL, though the source is silent by now") {
    std::filesystem::remove(path("catalogue.yaml"));
    refresh();
    REQUIRE(documents.confirm(path("catalogue.yaml").native()));
    CHECK(serial() == 2);
  }
  SECTION("not while the clock cannot be believed") {
    clocks.wall += std::chrono::hours{2};
    clock.look();
    CHECK(documents.confirm("lxcloud").error().fault == Fault::clock_jump);
    CHECK(serial() == 1);
  }
  SECTION("nor once the source takes it back: the floor was not raised") {
    publish(catalogue(1));
    refresh();
    CHECK(fault().empty());
    CHECK(documents.confirm("lxcloud").error().fault == Fault::not_found);
  }
  SECTION("a newer version is judged anew, and accepted without the one before") {
    held_back_from = 4;
    publish(catalogue(3));
    refresh();
    CHECK(serial() == 3);
    CHECK(fault().empty());
    CHECK(documents.confirm("lxcloud").error().fault == Fault::not_found);
  }
}

TEST_CASE_METHOD(Follower, "what is confirmed during a refresh stays in use, whatever that refresh ends with") {
  publish(catalogue(1));
  follow({subscription()});
  held_back_from = 2;
  publish(catalogue(2));
  refresh();
  REQUIRE(fault() == "mass-withdrawal");
  std::filesystem::remove(path("catalogue.yaml"));
  documents.refresh_now();  // not found: what was in use at this moment is verified again
  REQUIRE(documents.confirm("lxcloud"));
  run_until([this] { return fault() == "not-found"; });
  CHECK(serial() == 2);
}

TEST_CASE_METHOD(Follower,
                 "where the signer was replaced there is no plan before the new one's document was asked for") {
  publish(catalogue(1));
  follow({subscription()});
  auto const graces = TestCa::instance().signer("grace").sign(document::write(catalogue(1)));
  REQUIRE(graces);
  REQUIRE(write_file_atomically(path("catalogue.yaml"), *graces));
  auto settings = subscription();
  settings.signers = {{*trust::DistinguishedName::parse("CN=Grace Endorser,O=Example"), {}}};
  std::optional<Standing> first;
  auto again = documents_again([&](Documents& second) {
    if (!first) first = second.catalogues().front().standing;
  });
  REQUIRE(again->configure({settings}, anchors()));
  CHECK(again->loading());
  SECTION("and then by it") {
    run_until([&] { return first.has_value(); });
    CHECK(first == Standing::trusted);
  }
  SECTION("and there is one without it") {
    std::filesystem::remove(path("catalogue.yaml"));
    run_until([&] { return first.has_value(); });
    CHECK(first == Standing::revoked);
  }
  run_until([&] { return again->settled(); });
}

TEST_CASE_METHOD(Follower,
                 "anchors that change while a document of an earlier run is verified do not let a plan slip by") {
  publish(catalogue(1));
  follow({subscription()});
  std::optional<bool> first;
  auto again = documents_again([&](Documents& second) {
    if (!first) first = static_cast<bool>(second.catalogues().front().document);
  });
  REQUIRE(again->configure({subscription()}, anchors()));
  again->judge_again();
  run_until([&] { return first.has_value(); });
  CHECK(first == true);
  run_until([&] { return again->settled(); });
}

TEST_CASE_METHOD(Follower, "an answer that is under way when the rules for anchors change is judged by the new ones") {
  install(*this, test::TestCa::instance().path() / "crl/stale.pem");
  publish(catalogue(1));
  auto lenient = anchors();
  lenient.crl = trust::Requirement::off;
  REQUIRE(documents.configure({subscription()}, lenient));
  REQUIRE(documents.configure({subscription()}, anchors()));
  run_until([this] { return said[Fault::crl_stale] > 0; });
  CHECK(serial() == 0);
}

TEST_CASE_METHOD(Follower, "the last subscription that goes is told too") {
  publish(catalogue(1));
  follow({subscription()});
  bool told = false;
  auto again = documents_again([&](Documents&) { told = true; });
  REQUIRE(again->configure({}, anchors()));
  run_until([&] { return told; });
}

TEST_CASE_METHOD(Follower, "a name that two held documents share is refused with their URLs") {
  publish(catalogue(1));
  publish(catalogue(1), "mirror.yaml");
  follow({subscription(), subscription("mirror.yaml")});
  held_back_from = 2;
  publish(catalogue(2));
  publish(catalogue(2), "mirror.yaml");
  refresh();
  auto const confirmed = documents.confirm("lxcloud");
  REQUIRE_FALSE(confirmed);
  CHECK(confirmed.error().fault == Fault::usage);
  CHECK_THAT(confirmed.error().what, Catch::Matchers::Contains("mirror.yaml"));
}

TEST_CASE_METHOD(Follower, "half of its life without a newer version is said once, until a newer one comes") {
  publish(catalogue(1));
  follow({subscription()});
  CHECK(said[Fault::doc_stale] == 0);
  clocks.wall += std::chrono::days{15};
  clocks.since_boot += std::chrono::days{15};
  refresh();
  refresh();
  CHECK(said[Fault::doc_stale] == 1);
  CHECK(fault() == "doc-stale");
  CHECK(status().state == SubscriptionState::stale);
  auto fresh = catalogue(2);
  fresh.header.issued += std::chrono::days{14};
  fresh.header.expires += std::chrono::days{14};
  publish(fresh);
  refresh();
  CHECK(status().state == SubscriptionState::current);
  CHECK(said[Fault::doc_stale] == 1);
}

}  // namespace
}  // namespace imageswarm::coordinator
