#include "daemon/selection/select.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "daemon/selection/loss.hpp"
#include "tests/support/sample_image.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::selection {
namespace {

using test::sample_image;

constexpr auto catalogue_url = "https://images.example.org/catalogue.yaml";
constexpr auto list_url = "https://site.example.org/approvals.yaml";

TimePoint now() {
  return test::TestCa::instance().now();
}

template <class T>
T headed(T document, document::Kind kind, std::string name) {
  document.header.kind = kind;
  document.header.name = std::move(name);
  document.header.issued = now();
  document.header.expires = now() + std::chrono::days{28};
  return document;
}

trust::Expectation anybody(document::Kind kind) {
  trust::Expectation expected;
  expected.kind = kind;
  expected.any_signer = true;
  return expected;
}

Source<document::Catalogue> signed_by(std::string const& signer, document::Catalogue catalogue,
                                      std::string url = catalogue_url) {
  auto const& ca = test::TestCa::instance();
  catalogue = headed(std::move(catalogue), document::Kind::catalogue, "lxcloud");
  auto const bytes = ca.signer(signer).sign(document::write(catalogue)).value();
  auto verified = trust::verify_catalogue(bytes, ca.anchors(), anybody(document::Kind::catalogue), {}, {now(), now()});
  REQUIRE(verified);
  return {std::make_shared<trust::VerifiedCatalogue const>(std::move(*verified)), std::move(url)};
}

Source<document::Catalogue> signed_images(std::vector<document::Image> images) {
  document::Catalogue catalogue;
  catalogue.images = std::move(images);
  return signed_by("ada", std::move(catalogue));
}

Source<document::ApprovalList> approvals(std::vector<document::Rule> approve, std::vector<document::Rule> recall = {}) {
  auto const& ca = test::TestCa::instance();
  document::ApprovalList list;
  list.approve = std::move(approve);
  list.recall = std::move(recall);
  list = headed(std::move(list), document::Kind::approval_list, "site-approvals");
  auto const bytes = ca.signer("site-security").sign(document::write(list)).value();
  auto verified =
      trust::verify_approval_list(bytes, ca.anchors(), anybody(document::Kind::approval_list), {}, {now(), now()});
  REQUIRE(verified);
  return {std::make_shared<trust::VerifiedApprovalList const>(std::move(*verified)), list_url};
}

Input input_with(std::vector<document::Image> images) {
  Input input;
  input.host = {.name = "hv001.example.org",
                .cluster = "lxcloud",
                .subcluster = "kvm",
                .architecture = "x86_64",
                .hypervisor = "kvm"};
  input.policy = flow::ApprovalPolicy::all;
  input.catalogues = {signed_images(std::move(images))};
  input.now = now();
  return input;
}

Decision only(Input const& input) {
  auto plan = select(input);
  REQUIRE(plan.decisions.size() == 1);
  return plan.decisions.front();
}

document::Rule rule_for_name(std::string pattern) {
  document::Rule rule;
  rule.name = std::move(pattern);
  return rule;
}

TEST_CASE("an endorsed image with no distribution keys is for every host when the site approves all") {
  auto const decision = only(input_with({sample_image()}));
  CHECK(decision.verdict == Verdict::selected);
  CHECK(decision.may_fetch);
  CHECK(decision.may_seed);
  CHECK(decision.want.provenance.catalogue == "lxcloud");
  CHECK(decision.want.provenance.approval == "policy all");
  CHECK(std::ranges::all_of(decision.reasons, &flow::Reason::yes));
}

TEST_CASE("each distribution key that is there must name this host, and the answer is kept as a reason") {
  struct Case {
    char const* question;
    void (*change)(document::Image&);
    bool selected;
  };
  for (auto const& [question, change, selected] : std::vector<Case>{
           {"cluster",
            [](document::Image& i) {
              i.clusters = {"other", "lxcloud"};
            },
            true},
           {"cluster", [](document::Image& i) { i.clusters = {"other"}; }, false},
           {"subcluster", [](document::Image& i) { i.subclusters = {"kvm"}; }, true},
           {"subcluster", [](document::Image& i) { i.subclusters = {"xen"}; }, false},
           {"host", [](document::Image& i) { i.hosts = {"hv0??.example.org"}; }, true},
           {"host", [](document::Image& i) { i.hosts = {"hv1*"}; }, false},
           {"architecture", [](document::Image& i) { i.architecture = "aarch64"; }, false},
           {"hypervisor", [](document::Image& i) { i.hypervisor = "xen"; }, false},
           {"cluster", [](document::Image& i) { i.clusters = {"LXCLOUD"}; }, false},
       }) {
    auto image = sample_image();
    change(image);
    auto const decision = only(input_with({image}));
    INFO(question);
    CHECK((decision.verdict == Verdict::selected) == selected);
    auto const reason = std::ranges::find(decision.reasons, question, &flow::Reason::question);
    REQUIRE(reason != decision.reasons.end());
    CHECK(reason->yes == selected);
  }
}

TEST_CASE("with policy listed only what a rule of an approval list matches is approved") {
  auto input = input_with({sample_image("debian-12"), sample_image("rocky-9", "1", "rocky")});
  input.policy = flow::ApprovalPolicy::listed;
  input.approvals = {approvals({rule_for_name("debian-*")})};
  auto const plan = select(input);
  CHECK(plan.decisions[0].verdict == Verdict::selected);
  CHECK(plan.decisions[0].want.provenance.approval.find("site-approvals") == 0);
  CHECK(plan.decisions[1].verdict == Verdict::not_approved);
}

TEST_CASE("all keys of a rule must match; a rule without keys and one with an unreadable name match nothing") {
  auto both = rule_for_name("debian-*");
  both.endorser = "CN=Bob Endorser,O=Example";
  document::Rule slash;
  slash.endorser = "/O=Example/CN=Ada Endorser";
  document::Rule unreadable = rule_for_name("*");
  unreadable.endorser = "no name at all";
  auto const approved_by = [](document::Rule rule) {
    auto input = input_with({sample_image()});
    input.policy = flow::ApprovalPolicy::all;
    input.select = {std::move(rule)};
    return only(input).verdict == Verdict::selected;
  };
  CHECK_FALSE(approved_by(both));
  CHECK(approved_by(slash));
  CHECK_FALSE(approved_by(unreadable));
  CHECK_FALSE(approved_by({}));
}

TEST_CASE("a recall wins over every approval, also from a list that has expired") {
  auto input = input_with({sample_image()});
  input.policy = flow::ApprovalPolicy::listed;
  document::Rule everything;
  everything.all = true;
  auto bad = rule_for_name("debian-12");
  bad.reason = "CVE-2026-1";
  input.approvals = {approvals({everything}, {bad})};
  for (auto standing : {Standing::trusted, Standing::stale, Standing::stopped, Standing::revoked}) {
    input.approvals.front().standing = standing;
    auto const decision = only(input);
    CHECK(decision.verdict == Verdict::recalled);
    CHECK_FALSE(decision.may_seed);
    CHECK(decision.reasons.back().answer.find("CVE-2026-1") != std::string::npos);
  }
}

TEST_CASE("nothing new is fetched while an approval list is missing or expired, but what is here stays") {
  auto input = input_with({sample_image()});
  input.approvals = {{nullptr, list_url}};
  CHECK(only(input).verdict == Verdict::selected);
  CHECK_FALSE(only(input).may_fetch);
  CHECK(only(input).may_seed);
  document::Rule everything;
  everything.all = true;
  input.approvals = {approvals({everything})};
  CHECK(only(input).may_fetch);
  input.approvals.front().standing = Standing::stale;
  CHECK_FALSE(only(input).may_fetch);
}

TEST_CASE("a stale catalogue brings nothing new, is seeded for a day, and a revoked one withdraws its images") {
  auto input = input_with({sample_image()});
  auto const with = [&](Standing standing) {
    input.catalogues.front().standing = standing;
    return only(input);
  };
  CHECK(with(Standing::stale).verdict == Verdict::selected);
  CHECK_FALSE(with(Standing::stale).may_fetch);
  CHECK(with(Standing::stale).may_seed);
  CHECK(with(Standing::stopped).verdict == Verdict::selected);
  CHECK_FALSE(with(Standing::stopped).may_seed);
  CHECK(with(Standing::revoked).verdict == Verdict::withdrawn);
}

TEST_CASE("an image whose own time is over is expired") {
  auto image = sample_image();
  image.expires = now() + std::chrono::hours{1};
  auto input = input_with({image});
  CHECK(only(input).verdict == Verdict::selected);
  input.now = *image.expires;
  CHECK(only(input).verdict == Verdict::expired);
}

TEST_CASE("what is held and no longer in its catalogue counts as withdrawn; an unknown catalogue decides nothing") {
  auto const held = only(input_with({sample_image()})).want;
  auto input = input_with({});
  input.held = {held};
  CHECK(only(input).verdict == Verdict::withdrawn);
  CHECK(only(input).want.image.name == "debian-12");

  input.catalogues.front().document = nullptr;  // could not be verified since the start
  CHECK(only(input).verdict == Verdict::selected);
  CHECK_FALSE(only(input).may_fetch);
  input.catalogues.front().standing = Standing::revoked;
  CHECK(only(input).verdict == Verdict::withdrawn);

  input.catalogues.clear();
  CHECK(only(input).verdict == Verdict::withdrawn);
}

TEST_CASE("what has departed is withdrawn or recalled by name, and never comes back for want of knowledge") {
  auto const departed = only(input_with({sample_image()})).want;
  auto input = input_with({});
  input.departed = {{departed, flow::Retirement::superseded, "the newest is 2"}};
  CHECK(only(input).verdict == Verdict::withdrawn);
  CHECK(only(input).reasons.back().answer == "no longer in its catalogue lxcloud as of serial 1");

  input.catalogues.front().document = nullptr;  // could not be verified since the start
  CHECK(only(input).verdict == Verdict::not_selected);
  CHECK_FALSE(only(input).may_seed);
  auto rule = rule_for_name("debian-*");
  rule.reason = "a hole";
  input.approvals = {approvals({}, {rule})};
  CHECK(only(input).verdict == Verdict::recalled);
  CHECK_THAT(only(input).reasons.back().answer, Catch::StartsWith("site-approvals serial 1 recalls"));
  CHECK_THAT(only(input).reasons.back().answer, Catch::EndsWith("a hole"));
}

TEST_CASE(
    "a recall that was carried out is undone by approval lists that do not recall it, not by lists that are gone") {
  auto const is_done = GENERATE(false, true);
  auto input = input_with({sample_image()});
  input.departed = {{only(input).want, flow::Retirement::recalled, "serial 7 recalls it", is_done}};
  for (auto const standing : {Standing::trusted, Standing::stale, Standing::stopped, Standing::revoked}) {
    input.approvals = {{nullptr, list_url, standing}};
    CHECK(only(input).verdict == Verdict::recalled);
    CHECK_FALSE(only(input).may_seed);
    CHECK_THAT(only(input).reasons.back().answer, Catch::StartsWith("serial 7 recalls it"));
  }
  input.approvals = {approvals({rule_for_name("*")})};
  CHECK(only(input).verdict == Verdict::selected);
  input.approvals.front().standing = Standing::stale;
  CHECK(only(input).verdict == Verdict::recalled);
}

TEST_CASE("a withdrawal by the endorser does not make less of a recall while an approval list is not at hand") {
  auto const image = sample_image();
  auto input = input_with({image});
  input.departed = {{only(input).want, flow::Retirement::recalled, "serial 7 recalls it"}};
  input.approvals = {{nullptr, list_url}};
  document::Catalogue catalogue;
  catalogue.withdrawn = {{image.image_id, image.uuid, now(), "broken boot loader"}};
  input.catalogues = {signed_by("ada", catalogue)};
  CHECK(only(input).verdict == Verdict::recalled);
  CHECK(only(input).want.image.name == image.name);
  input.approvals = {approvals({})};
  CHECK(only(input).verdict == Verdict::withdrawn);
}

TEST_CASE("what a revoked signer lost comes back by a catalogue that is trusted, not by one that cannot be checked") {
  auto input = input_with({sample_image()});
  auto const held = only(input).want;
  input.departed = {{held, flow::Retirement::withdrawn, "endorser-withdrawn: the signer is revoked"}};
  CHECK(only(input).verdict == Verdict::selected);
  input.catalogues.front().standing = Standing::stale;
  CHECK(only(input).verdict == Verdict::withdrawn);
  input.held = {held};
  input.catalogues.front().document = nullptr;
  CHECK(only(input).verdict == Verdict::withdrawn);
}

TEST_CASE("a finished departure needs no decision of its own") {
  auto input = input_with({});
  input.departed = {{only(input_with({sample_image()})).want, flow::Retirement::recalled, "a hole", true}};
  CHECK(select(input).decisions.empty());
}

TEST_CASE("another endorser's withdrawal takes what has departed no further away") {
  auto const image = sample_image();
  auto const departed = only(input_with({image})).want;
  document::Catalogue bobs;
  bobs.withdrawn = {{image.image_id, image.uuid, now(), "not mine"}};
  auto input = input_with({});
  input.departed = {{departed, flow::Retirement::superseded, "the newest is 2"}};
  input.catalogues = {{nullptr, catalogue_url}, signed_by("bob", bobs, "https://bob.example.org/catalogue.yaml")};
  CHECK(only(input).verdict == Verdict::not_selected);
}

TEST_CASE("a catalogue that moved to another URL withdraws nothing while the new URL has not answered") {
  auto const held = only(input_with({sample_image()})).want;
  auto input = input_with({});
  input.held = {held};
  input.catalogues = {{nullptr, "https://new.example.org/catalogue.yaml"}};
  CHECK(only(input).verdict == Verdict::selected);
  input.catalogues = {signed_images({sample_image()})};
  input.catalogues.front().url = "https://new.example.org/catalogue.yaml";
  CHECK(only(input).verdict == Verdict::selected);
}

TEST_CASE("whom nobody names any more has withdrawn, whatever else is not at hand") {
  auto const held = only(input_with({sample_image()})).want;
  auto input = input_with({});
  input.held = {held};
  auto const bob = *trust::DistinguishedName::parse("CN=Bob Endorser,O=Example");
  input.catalogues = {{nullptr, "https://bob.example.org/catalogue.yaml", Standing::trusted, {{bob, {}}}}};
  CHECK(only(input).verdict == Verdict::withdrawn);
  CHECK(only(input).reasons.back().answer.find("endorser-withdrawn: CN=Ada Endorser") == 0);

  SECTION("but not while a list that could name him or her is not at hand") {
    input.endorsers_known = false;
    CHECK(only(input).verdict == Verdict::selected);
    CHECK_FALSE(only(input).may_fetch);
  }
  SECTION("but not while a catalogue that he or she may sign is not at hand") {
    input.catalogues[0].signers.push_back({held.endorser.subject, {}});
    CHECK(only(input).verdict == Verdict::selected);
    input.catalogues[0].name = "another";
    CHECK(only(input).verdict == Verdict::withdrawn);
  }
}

TEST_CASE("a revoked signer withdraws, also while an endorser list is not at hand") {
  auto const held = only(input_with({sample_image()})).want;
  auto input = input_with({});
  input.held = {held};
  input.endorsers_known = false;
  input.catalogues = {{nullptr, catalogue_url, Standing::revoked, {{held.endorser.subject, {}}}}};
  CHECK(only(input).verdict == Verdict::withdrawn);
}

TEST_CASE("an endorser cannot withdraw what another one vouched for") {
  auto const image = sample_image();
  auto const held = only(input_with({image})).want;
  document::Catalogue bobs;
  bobs.withdrawn = {{image.image_id, image.uuid, now(), "not mine"}};
  auto input = input_with({});
  input.held = {held};
  input.catalogues = {{nullptr, catalogue_url}, signed_by("bob", bobs, "https://bob.example.org/catalogue.yaml")};
  CHECK(only(input).verdict == Verdict::selected);
}

TEST_CASE("an endorser cannot withdraw what another one lists, selected here or not") {
  auto image = sample_image();
  image.clusters = {"another"};
  document::Catalogue bobs;
  bobs.withdrawn = {{image.image_id, image.uuid, now(), "not mine"}};
  auto const bob = signed_by("bob", bobs, "https://bob.example.org/catalogue.yaml");
  auto input = input_with({image});
  auto const ada = input.catalogues.front();
  input.held = GENERATE_COPY(std::vector<Held>{}, std::vector<Held>{only(input).want});
  input.catalogues = {bob, ada};
  CHECK(only(input).verdict == Verdict::not_selected);
  CHECK(only(input).want.image.name == image.name);
  input.catalogues = {ada, bob};
  CHECK(only(input).verdict == Verdict::not_selected);
}

TEST_CASE("a withdrawal of another endorser is not taken for the reason when its own is revoked") {
  auto const image = sample_image();
  document::Catalogue bobs;
  bobs.withdrawn = {{image.image_id, image.uuid, now(), "not mine"}};
  auto input = input_with({image});
  input.held = {only(input).want};
  input.catalogues.insert(input.catalogues.begin(), signed_by("bob", bobs, "https://bob.example.org/catalogue.yaml"));
  input.catalogues.back().standing = Standing::revoked;
  CHECK(only(input).verdict == Verdict::withdrawn);
  CHECK_THAT(only(input).reasons.back().answer, Catch::Contains("the signer is revoked"));
}

TEST_CASE("what is held is no longer seeded after a day without trust, also after a restart") {
  auto input = input_with({sample_image()});
  input.held = {only(input).want};
  auto const with = [&](Standing catalogue, Standing approval) {
    input.catalogues.front() = {nullptr, catalogue_url, catalogue};
    input.approvals = {{nullptr, list_url, approval}};
    return only(input);
  };
  CHECK(with(Standing::trusted, Standing::trusted).may_seed);
  CHECK_FALSE(with(Standing::trusted, Standing::trusted).may_fetch);
  CHECK(with(Standing::stale, Standing::stale).may_seed);
  CHECK(with(Standing::stopped, Standing::stale).verdict == Verdict::selected);
  CHECK_FALSE(with(Standing::stopped, Standing::stale).may_seed);
  CHECK(with(Standing::stale, Standing::stopped).verdict == Verdict::selected);
  CHECK_FALSE(with(Standing::stale, Standing::stopped).may_seed);
  input.approvals.clear();
  input.catalogues = {{nullptr, "https://a.example.org/", Standing::stopped},
                      {nullptr, "https://b.example.org/", Standing::stale}};
  CHECK(only(input).may_seed);
}

TEST_CASE("an entry that cannot be read is not seeded on a catalogue that has stopped, nor kept by a revoked signer") {
  auto const held = only(input_with({sample_image()})).want;
  auto broken = sample_image();
  broken.torrent.download_url = "no URL";
  auto input = input_with({broken});
  REQUIRE(input.catalogues.front().document->content().refused.size() == 1);
  input.held = {held};
  auto const with = [&](Standing standing) {
    input.catalogues.front().standing = standing;
    return only(input);
  };
  CHECK(with(Standing::trusted).may_seed);
  CHECK(with(Standing::stopped).verdict == Verdict::selected);
  CHECK_FALSE(with(Standing::stopped).may_seed);
  CHECK(with(Standing::revoked).verdict == Verdict::withdrawn);
}

TEST_CASE("what is here keeps its approval while an approval list cannot be verified, and nothing new comes") {
  auto input = input_with({sample_image()});
  input.policy = flow::ApprovalPolicy::listed;
  document::Rule everything;
  everything.all = true;
  input.approvals = {approvals({everything})};
  input.held = {only(input).want};
  input.approvals = {{nullptr, list_url, Standing::stale}};
  CHECK(only(input).verdict == Verdict::selected);
  CHECK_FALSE(only(input).may_fetch);
  input.approvals = {{nullptr, list_url, Standing::revoked}};
  CHECK(only(input).verdict == Verdict::not_approved);
  input.held.clear();
  input.approvals = {{nullptr, list_url, Standing::stale}};
  CHECK(only(input).verdict == Verdict::not_approved);
}

TEST_CASE("a revoked approver approves nothing; a list that is stale for more than a day stops the seeding") {
  auto input = input_with({sample_image()});
  input.policy = flow::ApprovalPolicy::listed;
  document::Rule everything;
  everything.all = true;
  input.approvals = {approvals({everything})};
  input.approvals.front().standing = Standing::revoked;
  CHECK(only(input).verdict == Verdict::not_approved);
  input.approvals.front().standing = Standing::stopped;
  CHECK(only(input).verdict == Verdict::selected);
  CHECK_FALSE(only(input).may_seed);
}

TEST_CASE("a withdrawal that the endorser published gives its reason") {
  auto const image = sample_image();
  document::Catalogue catalogue;
  catalogue.withdrawn = {{image.image_id, image.uuid, now(), "broken boot loader"}};
  auto input = input_with({image});
  auto const held = only(input).want;
  input.catalogues = {signed_by("ada", catalogue)};
  input.held = {held};
  auto const decision = only(input);
  CHECK(decision.verdict == Verdict::withdrawn);
  CHECK(decision.want.image.name == "debian-12");
  CHECK(decision.reasons.back().answer.find("broken boot loader") != std::string::npos);
}

TEST_CASE("of a family the newest versions stay and the older ones are superseded, never across endorsers") {
  auto input = input_with({sample_image("debian-12", "9", "a"), sample_image("debian-12", "10", "b"),
                           sample_image("debian-12", "11", "c")});
  document::Catalogue bobs;
  bobs.images = {sample_image("debian-12", "1", "d")};
  input.catalogues.push_back(signed_by("bob", bobs, "https://bob.example.org/catalogue.yaml"));
  auto const plan = select(input);
  REQUIRE(plan.decisions.size() == 4);
  CHECK(plan.decisions[0].verdict == Verdict::superseded);
  CHECK(plan.decisions[1].verdict == Verdict::selected);
  CHECK(plan.decisions[2].verdict == Verdict::selected);
  CHECK(plan.decisions[3].verdict == Verdict::selected);
}

TEST_CASE("a version that works here is superseded only by versions that work here") {
  auto const old = sample_image("debian-12", "1", "a"), fresh = sample_image("debian-12", "2", "b");
  auto input = input_with({old, fresh});
  input.keepers = {{"glance", 1, {old.image_id}}};
  auto plan = select(input);
  CHECK(plan.decisions[0].verdict == Verdict::selected);
  CHECK_FALSE(plan.decisions[0].may_fetch);
  CHECK(plan.decisions[1].may_fetch);
  input.keepers = {{"glance", 1, {old.image_id, fresh.image_id}}};
  plan = select(input);
  CHECK(plan.decisions[0].verdict == Verdict::superseded);
  CHECK(plan.decisions[1].verdict == Verdict::selected);
}

TEST_CASE("each sink keeps its own number of versions, and an image stays as long as one of them keeps it") {
  std::vector const images{sample_image("debian-12", "1", "a"), sample_image("debian-12", "2", "b"),
                           sample_image("debian-12", "3", "c")};
  auto const ids = std::set{images[0].image_id, images[1].image_id, images[2].image_id};
  auto input = input_with(images);
  input.keepers = {{"few", 1, ids}, {"many", 2, ids}};
  auto plan = select(input);
  CHECK(plan.decisions[0].verdict == Verdict::superseded);
  CHECK(plan.decisions[1].verdict == Verdict::selected);
  CHECK(plan.decisions[1].superseded_in == std::set<std::string>{"few"});
  CHECK(plan.decisions[1].reasons.back().answer == "few keeps 1 of its versions, the newest is 3");
  CHECK(plan.decisions[1].may_fetch);
  CHECK(plan.decisions[2].superseded_in.empty());

  SECTION("what works in a sink is superseded there only by what works there") {
    input.keepers[0].present.erase(images[2].image_id);
    plan = select(input);
    CHECK(plan.decisions[1].superseded_in.empty());
    CHECK(plan.decisions[0].superseded_in == std::set<std::string>{"few", "many"});
  }
  SECTION("what one sink still needs is not fetched anew") {
    input.keepers[1].present = {images[0].image_id};
    plan = select(input);
    CHECK(plan.decisions[0].verdict == Verdict::selected);
    CHECK(plan.decisions[0].superseded_in == std::set<std::string>{"few"});
    CHECK_FALSE(plan.decisions[0].may_fetch);
  }
}

TEST_CASE("an expired or unapproved version does not push older ones out") {
  auto gone = sample_image("debian-12", "12", "x");
  gone.expires = now() - std::chrono::hours{1};
  auto input = input_with({sample_image("debian-12", "1", "a"), sample_image("debian-12", "2", "b"), gone});
  auto const plan = select(input);
  CHECK(plan.decisions[0].verdict == Verdict::selected);
  CHECK(plan.decisions[1].verdict == Verdict::selected);
  CHECK(plan.decisions[2].verdict == Verdict::expired);
}

TEST_CASE(
    "the same image ID from two endorsers is one image, and the endorser whom the site approved stands behind it") {
  auto const image = sample_image();
  document::Catalogue bobs;
  bobs.images = {image};
  auto input = input_with({image});
  input.policy = flow::ApprovalPolicy::listed;
  document::Rule bob;
  bob.endorser = "CN=Bob Endorser,O=Example";
  input.approvals = {approvals({bob})};
  input.catalogues.push_back(signed_by("bob", bobs, "https://bob.example.org/catalogue.yaml"));
  auto const decision = only(input);
  CHECK(decision.verdict == Verdict::selected);
  CHECK(decision.want.endorser.subject.text() == "CN=Bob Endorser,O=Example");
}

TEST_CASE("the loss by a new version counts what is here and would be withdrawn by it, nothing else") {
  std::vector<document::Image> const images{sample_image("a", "1", "a"), sample_image("b", "1", "b"),
                                            sample_image("c", "1", "c"), sample_image("d", "1", "d")};
  auto present = input_with(images);
  for (auto const& decision : select(present).decisions) present.held.push_back(decision.want);
  present.held.pop_back();  // d is not here
  auto then = present;
  then.catalogues = {signed_images({images[0]})};
  CHECK(loss_between(present, then).held == 3);
  CHECK(loss_between(present, then).withdrawn == 2);
  CHECK(loss_between(present, present).withdrawn == 0);

  SECTION("what was withdrawn before is not lost again") {
    present.catalogues = {signed_images({images[0], images[1]})};
    CHECK(loss_between(present, then).held == 2);
    CHECK(loss_between(present, then).withdrawn == 1);
  }
  SECTION("what the site recalls is not the endorser's withdrawal") {
    auto recall = rule_for_name("b");
    recall.reason = "unsafe";
    present.approvals = then.approvals = {approvals({}, {recall})};
    CHECK(loss_between(present, then).withdrawn == 1);
  }
  SECTION("what is superseded is not withdrawn") {
    then.catalogues = present.catalogues;
    then.keepers = {{"glance", 0, {}}};
    CHECK(loss_between(present, then).withdrawn == 0);
  }
}

}  // namespace
}  // namespace imageswarm::selection
