#include "common/trust/verify.hpp"

#include <catch2/catch.hpp>

#include "common/trust/envelope.hpp"
#include "tests/support/forgery.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Contains;
using namespace std::chrono_literals;
using test::TestCa;

TestCa const& ca() {
  return TestCa::instance();
}

document::Catalogue catalogue() {
  document::Catalogue catalogue;
  catalogue.header.kind = document::Kind::catalogue;
  catalogue.header.name = "example";
  catalogue.header.serial = 42;
  catalogue.header.issued = ca().now() - 1h;
  catalogue.header.expires = ca().now() + 24h;
  return catalogue;
}

std::string signed_by(std::string const& name, std::string const& body) {
  return ca().signer(name).sign(body).value();
}

std::string signed_by(std::string const& name, document::Catalogue const& content) {
  return signed_by(name, document::write(content));
}

std::string forged(std::string const& body, test::Forgery const& forgery) {
  auto const der = test::make_cms(body, forgery);
  return seal_envelope(body, std::as_bytes(std::span{der})).value();
}

SignerPattern pattern(std::string_view subject, std::string_view issuer = "") {
  SignerPattern pattern{*DistinguishedName::parse(subject), {}};
  if (!issuer.empty()) pattern.issuer = *DistinguishedName::parse(issuer);
  return pattern;
}

/// Ada and Bob may sign; everything else as the subscription of a host would say.
Expectation expectation() {
  Expectation expected;
  expected.kind = document::Kind::catalogue;
  expected.signers = {pattern("CN=Ada Endorser,O=Example"), pattern("/O=Example/CN=Bob Endorser")};
  expected.name = "example";
  expected.epoch = 1;
  return expected;
}

Result<VerifiedCatalogue> verify(std::string const& bytes, Expectation const& expected = expectation(),
                                 Floors const& floors = {}, TimePoint now = ca().now()) {
  return verify_catalogue(bytes, ca().anchors(), expected, floors, {now, ca().now()});
}

void check_refused(Result<VerifiedCatalogue> const& result, Fault fault) {
  REQUIRE_FALSE(result);
  CAPTURE(result.error().line());
  CHECK(word(result.error().fault) == word(fault));
  CHECK(class_of(result.error().fault) == FaultClass::refused);
}

TEST_CASE("a catalogue that its endorser signed is verified, with its origin") {
  auto const bytes = signed_by("ada", catalogue());
  auto const verified = verify(bytes);
  if (!verified) FAIL(verified.error().line());
  CHECK(verified->content().header.serial == 42);
  CHECK(verified->origin().digest == digest_of<Sha256>(bytes));
  CHECK(verified->key() == DocumentKey{document::Kind::catalogue, "example",
                                       "CN=Ada Endorser,O=Example (issuer CN=Test Issuing CA,O=Imageswarm Test)"});
  CHECK(verified->floor().serial == 42);
}

TEST_CASE("an approval list is verified as well, and one kind is never taken for another") {
  document::ApprovalList list;
  list.header = catalogue().header;
  list.header.kind = document::Kind::approval_list;
  auto const bytes = signed_by("site-security", document::write(list));
  auto expected = expectation();
  expected.signers = {pattern("CN=Site Security,O=Example")};
  check_refused(verify(bytes, expected), Fault::kind_mismatch);
  CHECK(verify_approval_list(bytes, ca().anchors(), expected, {}, {ca().now(), ca().now()}).error().fault ==
        Fault::kind_mismatch);
  expected.kind = document::Kind::approval_list;
  check_refused(verify(bytes, expected), Fault::kind_mismatch);
  CHECK(verify_approval_list(bytes, ca().anchors(), expected, {}, {ca().now(), ca().now()}));
}

TEST_CASE("a document by somebody who is not listed is refused, and the message says who it was") {
  auto const by_site = verify(signed_by("site-security", catalogue()));
  check_refused(by_site, Fault::signer_not_listed);
  CHECK_THAT(by_site.error().what, Contains("CN=Site Security,O=Example") && Contains("CN=Test Issuing CA"));
  auto const lookalike = GENERATE(as<std::string>{}, "extra-cn", "folded", "two-in-one");
  check_refused(verify(forged(document::write(catalogue()), {.signer = lookalike})), Fault::signer_not_listed);
}

TEST_CASE("who may sign another document only is told apart from a stranger") {
  auto expected = expectation();
  expected.elsewhere = std::make_shared<std::vector<SignerPattern> const>(1, pattern("CN=Site Security,O=Example"));
  check_refused(verify(signed_by("site-security", catalogue()), expected), Fault::signer_wrong_role);
  check_refused(verify(signed_by("grace", catalogue()), expected), Fault::signer_not_listed);
}

TEST_CASE("an endorser list is verified as well, and its names are then all of one form") {
  document::EndorserList list;
  list.header = catalogue().header;
  list.header.kind = document::Kind::endorser_list;
  list.endorsers = {{"", "/O=Example/CN=Ada Endorser", "CN=CA", "", "https://x.org/c", "c", 1}};
  auto expected = expectation();
  auto const verified = [&] {
    return verify_endorser_list(signed_by("site-security", document::write(list)), ca().anchors(), expected, {},
                                {ca().now(), ca().now()});
  };
  expected.signers = {pattern("CN=Site Security,O=Example")};
  CHECK(verified().error().fault == Fault::kind_mismatch);
  expected.kind = document::Kind::endorser_list;
  CHECK(verified()->content().endorsers[0].subject == "CN=Ada Endorser,O=Example");
  list.endorsers[0].issuer = "no name";
  CHECK(verified().error().fault == Fault::doc_field);
  expected.signers = {pattern("CN=Ada Endorser,O=Example")};
  CHECK(verified().error().fault == Fault::signer_not_listed);
}

TEST_CASE("a pinned issuer keeps out the same name from another CA") {
  auto const bytes = signed_by("other-ada", catalogue());
  auto expected = expectation();
  CHECK(verify(bytes, expected));
  expected.signers = {pattern("CN=Ada Endorser,O=Example", "CN=Test Issuing CA,O=Imageswarm Test")};
  check_refused(verify(bytes, expected), Fault::signer_not_listed);
  CHECK(verify(signed_by("ada", catalogue()), expected));
}

TEST_CASE("a look from outside accepts any certified signer, but nobody by default") {
  Expectation expected;
  check_refused(verify(signed_by("site-security", catalogue()), expected), Fault::signer_not_listed);
  expected.any_signer = true;
  CHECK(verify(signed_by("site-security", catalogue()), expected));
  check_refused(verify(forged(document::write(catalogue()), {.signer = "stranger"}), expected), Fault::chain_untrusted);
}

TEST_CASE("the signature comes before everything that the document says") {
  auto const broken = "document: catalogue\n: [\n";
  check_refused(verify(broken), Fault::sig_missing);
  check_refused(verify(forged(broken, {.signer = "stranger"})), Fault::chain_untrusted);
  check_refused(verify(forged(broken, {.signer = "site-security"})), Fault::signer_not_listed);
  auto const by_bob = verify(forged(broken, {}));
  REQUIRE_FALSE(by_bob);
  CHECK(word(by_bob.error().fault).starts_with("yaml-"));
}

TEST_CASE("an altered document is refused, wherever it was altered") {
  auto const bytes = signed_by("bob", catalogue());
  auto const replaced = [&](std::string const& from, std::string const& to) {
    auto altered = bytes;
    altered.replace(altered.find(from), from.size(), to);
    return altered;
  };
  check_refused(verify(replaced("serial: 42", "serial: 43")), Fault::sig_invalid);
  check_refused(verify(replaced("x509-signature", "images: []\nx509-signature")), Fault::sig_invalid);
  check_refused(verify("# comment\n" + bytes), Fault::sig_invalid);
  check_refused(verify(bytes + "images: []\n"), Fault::doc_signature_block);
  check_refused(verify(bytes + bytes.substr(bytes.find("x509-signature"))), Fault::doc_signature_block);
  check_refused(verify(bytes.substr(0, bytes.find("x509-signature"))), Fault::sig_missing);
  check_refused(verify(""), Fault::sig_missing);
}

TEST_CASE("what a signed document says of itself is checked against what is expected") {
  struct Row {
    char const* what;
    void (*spoil)(document::Header&);
    Fault fault;
  };
  auto const row = GENERATE(values<Row>({
      {"name", [](auto& header) { header.name = "other"; }, Fault::doc_name},
      {"epoch", [](auto& header) { header.epoch = 2; }, Fault::doc_epoch},
      {"future", [](auto& header) { header.issued = ca().now() + 6min; }, Fault::doc_future},
      {"expired", [](auto& header) { header.expires = ca().now(); }, Fault::doc_expired},
      {"too long", [](auto& header) { header.expires = ca().now() + std::chrono::days{91}; }, Fault::doc_field},
      {"format", [](auto& header) { header.format = 2; }, Fault::doc_format},
      {"serial", [](auto& header) { header.serial = document::max_serial + 1; }, Fault::serial_range},
  }));
  INFO(row.what);
  auto content = catalogue();
  row.spoil(content.header);
  check_refused(verify(signed_by("bob", content)), row.fault);
}

TEST_CASE("rollback and equivocation are judged per name and signer") {
  auto const first = verify(signed_by("bob", catalogue()));
  REQUIRE(first);
  Floors const floors{{first->key(), first->floor()}};
  auto older = catalogue(), same = catalogue(), newer = catalogue();
  older.header.serial = 41;
  newer.header.serial = 43;
  same.trackers = {"https://tracker.example.org/announce"};
  auto const rolled_back = verify(signed_by("bob", older), expectation(), floors);
  check_refused(rolled_back, Fault::serial_rollback);
  CHECK(rolled_back.error().line() == "serial-rollback: serial 41 is lower than the accepted 42");
  check_refused(verify(signed_by("bob", same), expectation(), floors), Fault::equivocation);
  CHECK(verify(signed_by("bob", newer), expectation(), floors));
  CHECK(verify(signed_by("ada", older), expectation(), floors));
}

TEST_CASE("nothing is accepted while the clock is behind") {
  check_refused(verify(signed_by("bob", catalogue()), expectation(), {}, ca().now() - 6min), Fault::clock_behind);
}

TEST_CASE("the claimed kind is found without any trust in it") {
  CHECK(claimed_kind("document: catalogue\nformat: 1\n") == document::Kind::catalogue);
  CHECK(claimed_kind("# mine\nformat: 1\ndocument: approval-list\n") == document::Kind::approval_list);
  CHECK(claimed_kind("document: endorser-list") == document::Kind::endorser_list);
  CHECK_FALSE(claimed_kind("document: menu\n"));
  CHECK_FALSE(claimed_kind(" document: catalogue\n"));
  CHECK_FALSE(claimed_kind(""));
}

}  // namespace
}  // namespace imageswarm::trust
