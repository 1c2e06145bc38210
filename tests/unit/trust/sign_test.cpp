#include "common/trust/sign.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/file.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/signature.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

using test::shell;
using test::TemporaryDirectory;
using test::TestCa;

std::string const body = "document: catalogue\nformat: 1\nname: example\n";

TestCa const& ca() {
  return TestCa::instance();
}

Result<Signature> verify(std::string_view document) {
  auto const envelope = open_envelope(document);
  if (!envelope) return fail(envelope.error());
  return verify_signature(envelope->body, envelope->signature, ca().anchors(), ca().now());
}

Fault fault_of_loading(std::filesystem::path const& certificate, std::filesystem::path const& key) {
  auto const identity = SigningIdentity::load(certificate, key, ca().now());
  REQUIRE_FALSE(identity);
  UNSCOPED_INFO(identity.error().line());
  return identity.error().fault;
}

TEST_CASE("what we sign we accept, whatever the kind of key") {
  auto const name = GENERATE(as<std::string>{}, "ada", "bob", "grace", "other-ada");
  auto const identity = ca().signer(name);
  auto const document = identity.sign(body);
  REQUIRE(document);
  CHECK(document->starts_with(body));
  auto const signature = verify(*document);
  if (!signature) FAIL(signature.error().line());
  CHECK(signature->signer.same_identity(identity.signer()));
}

TEST_CASE("openssl cms accepts what we sign, against the root alone") {
  auto const name = GENERATE(as<std::string>{}, "ada", "bob", "grace");
  TemporaryDirectory const directory;
  auto const document = ca().signer(name).sign(body).value();
  auto const envelope = open_envelope(document).value();
  std::ofstream{directory / "body"} << envelope.body;
  std::ofstream{directory / "der"}.write(reinterpret_cast<char const*>(envelope.signature.data()),
                                         static_cast<std::streamsize>(envelope.signature.size()));
  shell(directory.path(),
        "openssl cms -verify -binary -inform DER -in der -content body -no-CApath -no-CAstore -CAfile '" +
            (ca().path() / "ca/root.pem").native() + "' -out out && cmp out body");
}

/// A document that `openssl cms -sign` alone has made.
std::string signed_by_openssl(std::string const& name, std::string const& options) {
  TemporaryDirectory const directory;
  std::ofstream{directory / "body"} << body;
  shell(directory.path(),
        fmt::format("openssl cms -sign -binary -outform DER -in body -out der -signer {0}/{1}.pem -inkey {0}/{1}.key "
                    "-certfile {0}/ca/issuing.pem {2}",
                    ca().path().native(), name, options));
  auto const der = read_file(directory / "der", 64_KiB).value();
  return seal_envelope(body, std::as_bytes(std::span{der})).value();
}

TEST_CASE("we accept what openssl cms signs") {
  auto const options = GENERATE(as<std::string>{}, "", "-nosmimecap", "-keyid", "-md sha512");
  auto const name = GENERATE(as<std::string>{}, "ada", "bob");
  auto const signature = verify(signed_by_openssl(name, options));
  INFO(name << ' ' << options);
  if (!signature) FAIL(signature.error().line());
  CHECK(signature->signer.same_identity(ca().signer(name).signer()));
}

TEST_CASE("RSA-PSS by openssl cms is accepted too, but not with SHA-1") {
  CHECK(verify(signed_by_openssl("ada", "-keyopt rsa_padding_mode:pss")));
  auto const weak = verify(signed_by_openssl("ada", "-keyopt rsa_padding_mode:pss -md sha1"));
  REQUIRE_FALSE(weak);
  CHECK(weak.error().fault == Fault::alg_weak);
}

TEST_CASE("a certificate that hosts would refuse is refused before anything is signed") {
  struct Row {
    char const* name;
    Fault fault;
  };
  auto const row = GENERATE(values<Row>({{"expired", Fault::cert_expired},
                                         {"early", Fault::cert_not_yet_valid},
                                         {"server", Fault::cert_purpose},
                                         {"agreement", Fault::cert_purpose},
                                         {"proxy", Fault::cert_purpose},
                                         {"weak-key", Fault::alg_weak},
                                         {"weak-digest", Fault::alg_weak},
                                         {"p521", Fault::alg_weak},
                                         {"two-in-one", Fault::signer_not_listed}}));
  INFO(row.name);
  CHECK(word(fault_of_loading(ca().certificate(row.name), ca().key(row.name))) == word(row.fault));
}

TEST_CASE("files that are not a certificate with its key are told apart") {
  TemporaryDirectory const directory;
  std::ofstream{directory / "junk"} << "junk\n";
  auto const bob = ca().certificate("bob"), key = ca().key("bob");
  CHECK(fault_of_loading(bob, ca().key("ada")) == Fault::key_mismatch);
  CHECK(fault_of_loading(bob, directory / "absent") == Fault::key_unreadable);
  CHECK(fault_of_loading(bob, directory / "junk") == Fault::key_unreadable);
  CHECK(fault_of_loading(directory / "absent", key) == Fault::certificate_unreadable);
  CHECK(fault_of_loading(directory / "junk", key) == Fault::certificate_unreadable);
  shell(directory.path(), "head -c 1200 '" + bob.native() + "' >cut.pem");
  CHECK(fault_of_loading(directory / "cut.pem", key) == Fault::certificate_unreadable);
}

TEST_CASE("a key in the certificate's own file is fine, and a root there is not enclosed") {
  TemporaryDirectory const directory;
  shell(directory.path(), "cat '" + ca().key("bob").native() + "' '" + ca().certificate("bob").native() + "' '" +
                              (ca().path() / "ca/root.pem").native() + "' >all.pem");
  auto const identity = SigningIdentity::load(directory / "all.pem", directory / "all.pem", ca().now());
  REQUIRE(identity);
  auto const alone = ca().signer("bob").sign(body).value(), with_root = identity->sign(body).value();
  CHECK(verify(with_root));
  CHECK(with_root.size() < alone.size() + 100);
}

TEST_CASE("what cannot be taken apart again is not signed") {
  auto const bob = ca().signer("bob");
  CHECK_FALSE(bob.sign("name: no line end"));
  CHECK_FALSE(bob.sign(body + "x509-signature: |\n  AAAA\n"));
}

}  // namespace
}  // namespace imageswarm::trust
