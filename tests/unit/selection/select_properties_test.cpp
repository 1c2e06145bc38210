#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <map>
#include <memory>

#include "daemon/selection/rules.hpp"
#include "daemon/selection/select.hpp"
#include "tests/support/sample_image.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::selection {
namespace {

using Rules = std::vector<document::Rule>;

test::TestCa const& ca() {
  return test::TestCa::instance();
}

/// The document as `signer` publishes it, verified.
template <class T>
Source<T> published(T document, document::Kind kind, std::string const& signer, auto const& verify) {
  document.header.kind = kind;
  document.header.name = "example";
  document.header.issued = ca().now();
  document.header.expires = ca().now() + std::chrono::days{28};
  trust::Expectation expected;
  expected.kind = kind;
  expected.any_signer = true;
  auto const bytes = ca().signer(signer).sign(document::write(document)).value();
  auto verified = verify(bytes, ca().anchors(), expected, trust::Floors{}, trust::Time{ca().now(), ca().now()});
  return {std::make_shared<trust::Verified<T> const>(std::move(verified.value())), "https://" + signer + ".example/x"};
}

Source<document::Catalogue> catalogue_of(std::string const& signer, std::vector<document::Image> images) {
  document::Catalogue catalogue;
  catalogue.images = std::move(images);
  return published(std::move(catalogue), document::Kind::catalogue, signer, trust::verify_catalogue);
}

/// Two endorsers of overlapping images.
std::vector<Source<document::Catalogue>> const& catalogues() {
  using test::sample_image;
  static std::vector<Source<document::Catalogue>> const both{
      catalogue_of("ada", {sample_image("a", "1", "a1"), sample_image("a", "2", "a2"), sample_image("b", "1", "b1")}),
      catalogue_of("bob", {sample_image("b", "2", "b2"), sample_image("c", "1", "c1"), sample_image("d", "1", "d1")})};
  return both;
}

document::Rule any_rule() {
  document::Rule rule;
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      rule.all = true;
      break;
    case 1:
      rule.endorser = *rc::gen::element<std::string>("CN=Ada Endorser,O=Example", "CN=Bob Endorser,O=Example");
      break;
    case 2:
      rule.uuid = test::sample_image(*rc::gen::element<std::string>("a", "b", "c")).uuid;
      break;
    default:
      rule.name = *rc::gen::element<std::string>("a", "b", "?", "c*", "nothing");
  }
  return rule;
}

Rules any_rules() {
  Rules rules(*rc::gen::inRange<std::size_t>(0, 3));
  for (auto& rule : rules) rule = any_rule();
  return rules;
}

Source<document::ApprovalList> list_of(Rules approve, Rules recall) {
  document::ApprovalList list;
  list.approve = std::move(approve);
  list.recall = std::move(recall);
  return published(std::move(list), document::Kind::approval_list, "site-security", trust::verify_approval_list);
}

Input input_with(Rules approve, Rules recall) {
  Input input;
  input.policy = flow::ApprovalPolicy::listed;
  input.catalogues = catalogues();
  input.approvals = {list_of(std::move(approve), std::move(recall))};
  input.now = ca().now();
  return input;
}

bool any_matches(Rules const& rules, Decision const& decision) {
  return std::ranges::any_of(
      rules, [&](auto const& rule) { return CompiledRule{rule}.matches(decision.want.image, decision.want.endorser); });
}

std::map<Uuid, Verdict> verdicts(Plan const& plan) {
  std::map<Uuid, Verdict> verdicts;
  for (auto const& decision : plan.decisions) verdicts[decision.want.image.image_id] = decision.verdict;
  return verdicts;
}

TEST_CASE("whatever the rules say") {
  rc::prop("a recall wins, and what is selected was approved", [] {
    auto const approve = any_rules(), recall = any_rules();
    for (auto const& decision : select(input_with(approve, recall)).decisions) {
      RC_ASSERT((decision.verdict == Verdict::recalled) == any_matches(recall, decision));
      RC_ASSERT(decision.verdict != Verdict::selected || any_matches(approve, decision));
      RC_ASSERT(decision.verdict == Verdict::selected || (!decision.may_fetch && !decision.may_seed));
    }
  });
  rc::prop("a further recall never selects more, unless an older version takes its place", [] {
    auto const approve = any_rules();
    auto recall = any_rules();
    auto input = input_with(approve, recall);
    input.keepers.front().keep = 100;
    auto const before = verdicts(select(input));
    recall.push_back(any_rule());
    input.approvals = {list_of(approve, recall)};
    for (auto const& [image, verdict] : verdicts(select(input))) {
      RC_ASSERT(verdict != Verdict::selected || before.at(image) == Verdict::selected);
    }
  });
  rc::prop("the order of the catalogues does not matter", [] {
    auto input = input_with(any_rules(), any_rules());
    auto const one_way = verdicts(select(input));
    std::ranges::reverse(input.catalogues);
    RC_ASSERT(verdicts(select(input)) == one_way);
  });
  rc::prop("to hold what is selected changes nothing", [] {
    auto input = input_with(any_rules(), any_rules());
    auto const plan = select(input);
    for (auto const& decision : plan.decisions) {
      if (decision.verdict != Verdict::selected) continue;
      input.held.push_back(decision.want);
      input.keepers.front().present.insert(decision.want.image.image_id);
    }
    RC_ASSERT(verdicts(select(input)) == verdicts(plan));
  });
}

}  // namespace
}  // namespace imageswarm::selection
