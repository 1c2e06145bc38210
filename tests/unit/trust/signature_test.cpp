#include "common/trust/signature.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/file.hpp"
#include "common/trust/envelope.hpp"
#include "tests/support/forgery.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Contains;
using test::AnchorsCopy;
using test::Forgery;
using test::make_cms;
using test::TestCa;
namespace fs = std::filesystem;

std::string const body = "document: catalogue\nformat: 1\nname: example\n";

Result<Signature> verify(std::vector<std::uint8_t> const& der,
                         AnchorPolicy const& anchors = TestCa::instance().anchors(),
                         TimePoint now = TestCa::instance().now()) {
  return verify_signature(body, der, anchors, now);
}

void check_refused(Result<Signature> const& result, Fault fault) {
  REQUIRE_FALSE(result);
  CAPTURE(result.error().line());
  CHECK(word(result.error().fault) == word(fault));
}

TEST_CASE("a signature by a certified person is accepted and names that person") {
  auto const name = GENERATE(as<std::string>{}, "ada", "bob", "grace", "other-ada");
  auto const signature = verify(make_cms(body, {.signer = name}));
  INFO(name);
  if (!signature) FAIL(signature.error().line());
  auto const subject =
      name == "other-ada" ? "CN=Ada Endorser,O=Example" : TestCa::instance().signer(name).signer().subject.text();
  CHECK(signature->signer.subject.text() == subject);
  CHECK(signature->signer.issuer.text() ==
        (name == "other-ada" ? "CN=Other CA,O=Imageswarm Test" : "CN=Test Issuing CA,O=Imageswarm Test"));
  CHECK(signature->signing_time >= TestCa::instance().now() - std::chrono::minutes{1});
  CHECK(format_time(signature->signer.certificate_expires) == "2089-12-31T23:59:59Z");
}

TEST_CASE("a certificate that must not sign is refused with the reason") {
  struct Row {
    char const* signer;
    Fault fault;
  };
  auto const row = GENERATE(values<Row>({{"stranger", Fault::chain_untrusted},
                                         {"expired", Fault::cert_expired},
                                         {"early", Fault::cert_not_yet_valid},
                                         {"revoked", Fault::cert_revoked},
                                         {"orphan", Fault::cert_revoked},
                                         {"server", Fault::cert_purpose},
                                         {"agreement", Fault::cert_purpose},
                                         {"proxy", Fault::cert_purpose},
                                         {"weak-key", Fault::alg_weak},
                                         {"weak-digest", Fault::alg_weak},
                                         {"p521", Fault::alg_weak},
                                         {"two-in-one", Fault::signer_not_listed}}));
  INFO(row.signer);
  check_refused(verify(make_cms(body, {.signer = row.signer})), row.fault);
}

TEST_CASE("a message that is weak or has not exactly one honest signer is refused") {
  struct Row {
    char const* what;
    Forgery forgery;
    Fault fault;
  };
  auto const row = GENERATE(values<Row>({
      {"SHA-1", {.signer = "ada", .digest = EVP_sha1()}, Fault::alg_weak},
      {"MD5", {.signer = "ada", .digest = EVP_md5()}, Fault::alg_weak},
      {"SHA-224", {.digest = EVP_sha224()}, Fault::alg_weak},
      {"no signed attributes", {.flags = CMS_NOATTR}, Fault::sig_invalid},
      {"two signers", {.second_signer = "ada"}, Fault::sig_invalid},
      {"no certificate of the signer", {.flags = CMS_NOCERTS}, Fault::sig_invalid},
      {"no intermediate", {.intermediates = false}, Fault::chain_untrusted},
      {"own root enclosed", {.signer = "stranger", .extra_certificates = "ca/impostor.pem"}, Fault::chain_untrusted},
      {"enclosed CRL from before the revocation", {.signer = "revoked", .crl = "crl/before.pem"}, Fault::cert_revoked},
  }));
  INFO(row.what);
  check_refused(verify(make_cms(body, row.forgery)), row.fault);
}

TEST_CASE("a signature is good for its content alone") {
  auto const der = make_cms(body, {});
  auto const other = verify_signature(body + "\n", der, TestCa::instance().anchors(), TestCa::instance().now());
  check_refused(other, Fault::sig_invalid);
  check_refused(verify_signature("", der, TestCa::instance().anchors(), TestCa::instance().now()), Fault::sig_invalid);
}

TEST_CASE("a signature that encloses content, or is followed by something, is refused") {
  std::string const text = body;
  check_refused(verify({}), Fault::sig_invalid);
  check_refused(verify({0x30, 0x00}), Fault::sig_invalid);
  auto longer = make_cms(body, {});
  longer.push_back(0);
  check_refused(verify(longer), Fault::sig_invalid);
}

TEST_CASE("further certificates in the message neither help nor hurt, and the first is not the signer") {
  auto const der = make_cms(body, {.extra_certificates = "ada.pem"});
  auto const signature = verify(der);
  REQUIRE(signature);
  CHECK(signature->signer.subject.text() == "CN=Bob Endorser,O=Example");
}

TEST_CASE("names that only look like a listed one stay different") {
  SignerPattern const ada{*DistinguishedName::parse("CN=Ada Endorser,O=Example"), {}};
  SignerPattern const pinned{ada.subject, *DistinguishedName::parse("CN=Test Issuing CA,O=Imageswarm Test")};
  auto const signer = [](std::string const& name) { return verify(make_cms(body, {.signer = name})).value().signer; };
  CHECK(ada.matches(signer("ada")));
  CHECK(pinned.matches(signer("ada")));
  CHECK_FALSE(ada.matches(signer("extra-cn")));
  CHECK_FALSE(ada.matches(signer("folded")));
  CHECK(ada.matches(signer("other-ada")));
  CHECK_FALSE(pinned.matches(signer("other-ada")));
}

TEST_CASE("chains are judged at the given time, not at the system's and not at the signing time") {
  auto const der = make_cms(body, {});
  auto const& ca = TestCa::instance();
  AnchorPolicy const no_crl{ca.anchors().anchors, Requirement::off};
  CHECK(verify(der, no_crl));
  check_refused(verify(der, no_crl, *parse_time("2090-01-01T00:00:00Z")), Fault::cert_expired);
  check_refused(verify(der, no_crl, *parse_time("2019-01-01T00:00:00Z")), Fault::cert_not_yet_valid);
}

TEST_CASE("the CRL policy decides about missing CRLs, never about stale or revoking ones") {
  AnchorsCopy const anchors;
  auto const crl = anchors.crl_of("issuing");
  auto const der = make_cms(body, {});
  auto const revoked = make_cms(body, {.signer = "revoked"});
  SECTION("missing") {
    fs::remove(crl);
    check_refused(verify(der, anchors.policy()), Fault::crl_missing);
    CHECK(verify(der, anchors.policy(Requirement::if_present)));
    check_refused(verify(make_cms(body, {.signer = "orphan"}), anchors.policy(Requirement::if_present)),
                  Fault::cert_revoked);
  }
  SECTION("stale") {
    fs::copy_file(anchors.path() / "crl/stale.pem", crl, fs::copy_options::overwrite_existing);
    check_refused(verify(der, anchors.policy()), Fault::crl_stale);
    check_refused(verify(der, anchors.policy(Requirement::if_present)), Fault::crl_stale);
  }
  SECTION("present") {
    check_refused(verify(revoked, anchors.policy(Requirement::if_present)), Fault::cert_revoked);
    CHECK(verify(revoked, anchors.policy(Requirement::off)));
  }
  SECTION("an enclosed CRL replaces neither a missing nor a stale one") {
    auto const enclosing = make_cms(body, {.crl = "crl/before.pem"});
    fs::remove(crl);
    check_refused(verify(enclosing, anchors.policy()), Fault::crl_missing);
    fs::copy_file(anchors.path() / "crl/stale.pem", crl);
    check_refused(verify(enclosing, anchors.policy()), Fault::crl_stale);
  }
  SECTION("a CRL in DER counts as well") {
    test::shell(anchors.path(),
                "openssl crl -in '" + crl.native() + "' -outform DER -out der && mv der '" + crl.native() + "'");
    CHECK(verify(der, anchors.policy()));
    check_refused(verify(revoked, anchors.policy()), Fault::cert_revoked);
  }
}

TEST_CASE("a replaced CRL counts at once") {
  AnchorsCopy const anchors;
  auto const der = make_cms(body, {});
  CHECK(verify(der, anchors.policy()));
  test::shell("/", "'" IMAGESWARM_SOURCE_DIR "/tests/support/test-ca' '" + anchors.path().native() + "' --revoke bob");
  check_refused(verify(der, anchors.policy(), SystemClock{}.now()), Fault::cert_revoked);
}

TEST_CASE("one PEM file serves as anchors and CRLs") {
  AnchorPolicy const file{TestCa::instance().path() / "anchors.pem", Requirement::require};
  CHECK(verify(make_cms(body, {}), file));
  check_refused(verify(make_cms(body, {.signer = "revoked"}), file), Fault::cert_revoked);
  check_refused(verify(make_cms(body, {.signer = "stranger"}), file), Fault::chain_untrusted);
}

TEST_CASE("anchors that hold nothing or cannot be read are an error of their own") {
  test::TemporaryDirectory const empty;
  auto const with = [](fs::path const& path) { return verify(make_cms(body, {}), {path, Requirement::require}); };
  check_refused(with(empty.path()), Fault::anchors_unreadable);
  check_refused(with(empty / "absent"), Fault::anchors_unreadable);
  check_refused(with(TestCa::instance().key("bob")), Fault::anchors_unreadable);
  std::ofstream{empty / "broken.pem"} << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  check_refused(with(empty / "broken.pem"), Fault::anchors_unreadable);
}

TEST_CASE("no byte of a signature can be changed") {
  auto const der = make_cms(body, {});
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (int const bit : {0x01, 0x20}) {  // 0x20: other case in texts, primitive for constructed in tags
      auto altered = der;
      altered[at] = static_cast<std::uint8_t>(altered[at] ^ bit);
      if (verify(altered)) FAIL("byte " << at << " of " << der.size() << " with " << bit);
    }
  }
}

TEST_CASE("no byte of a signed document can be changed") {
  auto const document = TestCa::instance().signer("bob").sign(body);
  REQUIRE(document);
  auto const accepted = [](std::string const& text) {
    auto const envelope = open_envelope(text);
    auto const& ca = TestCa::instance();
    return envelope && verify_signature(envelope->body, envelope->signature, ca.anchors(), ca.now());
  };
  CHECK(accepted(*document));
  for (std::size_t at = 0; at < document->size(); ++at) {
    for (char const other : {'A', '\n', static_cast<char>(document->at(at) ^ 1)}) {
      auto altered = *document;
      altered[at] = other;
      if (altered != *document && accepted(altered)) FAIL("byte " << at << " of " << document->size());
    }
  }
}

}  // namespace
}  // namespace imageswarm::trust
