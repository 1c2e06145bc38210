#include <catch2/catch.hpp>

#include "tests/support/web_server.hpp"
#include "tests/unit/coordinator/follower.hpp"

namespace imageswarm::coordinator {
namespace {

using state::SubscriptionState;
using test::Follower;
using test::TestCa;

std::string signed_by_bob(document::Catalogue const& catalogue) {
  return TestCa::instance().signer("bob").sign(document::write(catalogue)).value();
}

/// A host whose catalogue is on a web server that does not answer; what neighbours have is up to the test.
class CutOff : public Follower {
public:
  flow::SubscriptionSettings source() const {
    auto settings = subscription();
    settings.url = "http://127.0.0.1:1/catalogue.yaml";
    return settings;
  }
  exchange::Topic topic() const { return exchange::topic_of(document::Kind::catalogue, source().url); }
  /// Neighbours say that they have something newer, and give this; returns when they were asked.
  void hear(std::vector<std::string> documents_of_others) {
    neighbours.offer(std::move(documents_of_others));
    auto const before = neighbours.asked();
    auto const answers = answers_so_far();
    documents.look_around({topic()});
    run_until([&] { return neighbours.asked() > before && answers_so_far() > answers; });
  }
};

TEST_CASE_METHOD(CutOff, "what the source does not give a neighbour may") {
  auto const bytes = signed_by_bob(catalogue(3));
  neighbours.offer({bytes});
  follow({source()});
  CHECK(serial() == 3);
  CHECK(status().state == SubscriptionState::current);
  CHECK(status().neighbour == "10.0.0.7");
  CHECK(standing() == selection::Standing::trusted);
  CHECK(neighbours.refused().empty());

  REQUIRE(neighbours.followed.size() == 1);  // and gives it to others in its turn
  CHECK(neighbours.followed.front().topic == topic());
  REQUIRE(neighbours.followed.front().held);
  CHECK(neighbours.followed.front().held->serial == 3);
  CHECK(neighbours.followed.front().held->digest == digest_of<Sha256>(bytes));
}

TEST_CASE_METHOD(CutOff, "a source that does not answer is unreachable, whatever neighbours gave before") {
  neighbours.offer({signed_by_bob(catalogue(3))});
  follow({source()});
  refresh();
  CHECK(status().state == SubscriptionState::unreachable);
  CHECK(serial() == 3);
}

TEST_CASE_METHOD(CutOff, "what neighbours give is verified like everything else") {
  auto altered = signed_by_bob(catalogue(3));
  altered.replace(altered.find("lxcloud"), 1, "L");
  document::Catalogue expired = catalogue(3);
  expired.header.issued -= std::chrono::days{40};
  expired.header.expires = expired.header.issued + std::chrono::days{28};
  auto const adas = TestCa::instance().signer("ada").sign(document::write(catalogue(3))).value();
  std::vector<std::string> const worthless{altered, "nonsense", signed_by_bob(expired), adas};
  auto const which = GENERATE(0u, 1u, 2u, 3u);
  auto const& bytes = worthless.at(which);
  neighbours.offer({bytes});
  follow({source()});
  CHECK(status().state == SubscriptionState::unreachable);
  CHECK_FALSE(status().serial);
  // By other anchors, rules or times than ours a neighbour may rightly have the last two, but nobody the first.
  std::vector const only{digest_of<Sha256>(bytes)};
  CHECK(neighbours.refused() == (which < 2 ? only : std::vector<Sha256>{}));
  CHECK(neighbours.passed_over() == (which < 2 ? std::vector<Sha256>{} : only));
}

TEST_CASE_METHOD(CutOff, "behind a worthless copy there may be a good one") {
  auto const good = signed_by_bob(catalogue(3));
  neighbours.offer({"nonsense", "more of it", good});
  follow({source()});
  CHECK(serial() == 3);
  CHECK(neighbours.refused().size() == 2);
}

TEST_CASE_METHOD(CutOff, "a neighbour that is behind takes nobody back, and raises no alarm") {
  neighbours.offer({signed_by_bob(catalogue(3))});
  follow({source()});
  hear({signed_by_bob(catalogue(2))});
  CHECK(serial() == 3);
  CHECK(status().state == SubscriptionState::current);
  CHECK(said[Fault::serial_rollback] == 0);
  CHECK(neighbours.refused().empty());
  CHECK(neighbours.passed_over().size() == 1);
}

TEST_CASE_METHOD(CutOff, "two documents under one serial are evidence, whoever shows the second") {
  neighbours.offer({signed_by_bob(catalogue(3))});
  follow({source()});
  hear({signed_by_bob(catalogue(3, "ab"))});
  CHECK(serial() == 3);
  CHECK(fault() == "equivocation");
  CHECK(neighbours.refused().empty());
  CHECK(documents.catalogues().front().document->content().images.size() == 1);
}

TEST_CASE_METHOD(CutOff, "the same version signed once more takes nobody's place") {
  auto const first = signed_by_bob(catalogue(3));
  neighbours.offer({first});
  follow({source()});
  auto const again = signed_by_bob(catalogue(3));
  REQUIRE(again != first);
  hear({again});
  CHECK(neighbours.followed.front().held->digest == digest_of<Sha256>(first));
  CHECK(fault().empty());
}

TEST_CASE_METHOD(CutOff, "news is looked at without asking the source") {
  neighbours.offer({signed_by_bob(catalogue(3))});
  follow({source()});
  auto const answered = status().next_refresh;
  hear({signed_by_bob(catalogue(4))});
  CHECK(serial() == 4);
  CHECK(status().state == SubscriptionState::current);
  CHECK(status().next_refresh == answered);
  hear({});
  CHECK(serial() == 4);
  CHECK(status().next_refresh == answered);
}

TEST_CASE_METHOD(CutOff, "what would withdraw too much is held back from neighbours as from a source") {
  neighbours.offer({signed_by_bob(catalogue(3))});
  follow({source()});
  held_back_from = 4;
  hear({signed_by_bob(catalogue(4))});
  CHECK(serial() == 3);
  CHECK(fault() == "mass-withdrawal");
  REQUIRE(documents.confirm("lxcloud"));
  CHECK(serial() == 4);
  CHECK(status().neighbour == "10.0.0.7");
}

TEST_CASE_METHOD(CutOff, "what comes from a source that keeps back the newest is caught up by neighbours") {
  test::WebServer const mirror{"/catalogue.yaml", signed_by_bob(catalogue(3))};
  auto settings = source();
  settings.url = mirror.url() + "catalogue.yaml";
  follow({settings});
  CHECK(serial() == 3);
  CHECK(neighbours.asked() == 0);  // the source gave something new
  neighbours.offer({signed_by_bob(catalogue(4))});
  refresh();
  CHECK(serial() == 4);
  CHECK(status().neighbour == "10.0.0.7");
}

TEST_CASE_METHOD(CutOff, "local documents are nobody else's") {
  publish(catalogue(1));
  follow({subscription()});
  refresh();
  CHECK(neighbours.asked() == 0);
  CHECK(neighbours.followed.empty());
}

TEST_CASE("documents of two URLs are two among neighbours, and who fetches them does not matter") {
  auto const topic = [](std::string_view url) { return topic_of(document::Kind::catalogue, url); };
  CHECK(topic("https://host/c.yaml?list=a") != topic("https://host/c.yaml?list=b"));
  CHECK(topic("https://host/c.yaml?list=a") != topic("https://host/c.yaml"));
  auto const long_url = "https://host/" + std::string(300, 'x');
  CHECK(topic(long_url + "a") != topic(long_url + "b"));
  CHECK(topic("https://ada:secret@host/c.yaml?list=a") == topic("https://host/c.yaml?list=a"));
}

}  // namespace
}  // namespace imageswarm::coordinator
