// Chains as they are met in the field: keys that were renewed, intermediates here and there, lists of every kind.
#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/trust/signature.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

namespace fs = std::filesystem;

std::string const body = "document: catalogue\nformat: 1\nname: example\n";

/// A PKI that a test changes with `openssl`, and what a signature is worth under its anchors: "" or the word of the
/// fault. Certificates are PEM files in it, their keys beside them.
class Pki : public test::AnchorsCopy {
public:
  Pki() {
    // Sections beside those of tests/support/test-ca: of certificates and of CRLs.
    sh(R"(for ca in root issuing other; do cat >>ca/$ca.cnf <<SECTIONS
[bare]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = none
authorityKeyIdentifier = none
[bare_authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = none
authorityKeyIdentifier = none
[unmarked]
keyUsage = critical,keyCertSign,cRLSign
[ident]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
deltaCRL = critical,DER:020101
[indirect]
issuingDistributionPoint = critical,@point
[point]
indirectCRL = TRUE
SECTIONS
done)");
  }
  void sh(std::string const& line) const { test::shell(path(), line); }

  /// A request with a new key: NAME.key and ca/NAME.csr.
  void request(std::string const& name, std::string const& subject) const {
    sh("openssl req -config ca/root.cnf -new -noenc -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout " + name +
       ".key -subj '" + subject + "' -out ca/" + name + ".csr");
  }
  /// Another self-signed certificate of a root's name, as ca/NAME.pem; the options say with which key.
  void root(std::string const& name, std::string const& subject, std::string const& options) const {
    sh("sed 's,ca/other,ca/" + name + ",' ca/other.cnf >ca/" + name + ".cnf; : >ca/" + name + ".index");
    sh("openssl req -config ca/" + name + ".cnf -x509 -noenc -keyout ca/" + name + ".key -subj '" + subject +
       "' -extensions authority -days 10000 -out ca/" + name + ".pem " + options);
  }
  /// Signs ca/NAME.csr into NAME.pem.
  void issue(std::string const& authority, std::string const& name, std::string const& options = "-days 30") const {
    sh("openssl ca -config ca/" + authority + ".cnf -batch -notext -preserveDN -extensions person -in ca/" + name +
       ".csr -out " + name + ".pem " + options);
  }
  void revoke(std::string const& authority, std::string const& name) const {
    sh("openssl ca -config ca/" + authority + ".cnf -revoke " + name + ".pem");
  }
  /// The CRL of a CA becomes the file `suffix` ("r0", "r1") of that CA's name.
  void crl(std::string const& authority, std::string const& suffix, std::string const& options = "") const {
    sh("openssl ca -config ca/" + authority + ".cnf -gencrl " + options + " -out '" +
       file_of(authority, suffix).native() + "'");
  }
  void anchor(std::string const& authority, std::string const& suffix) const {
    fs::copy_file(path() / ("ca/" + authority + ".pem"), file_of(authority, suffix),
                  fs::copy_options::overwrite_existing);
  }

  /// The outcome for a message of NAME that encloses these certificates besides the signer's.
  Result<Signature> verified(std::string const& name, std::string const& enclosed = "",
                             Requirement crl = Requirement::require) const {
    sh("printf 'document: catalogue\\nformat: 1\\nname: example\\n' >body; openssl cms -sign -binary -outform DER -in "
       "body -out der -signer " +
       name + ".pem -inkey " + name + ".key" + (enclosed.empty() ? "" : " -certfile " + enclosed));
    auto const der = read_file(path() / "der", 64_KiB).value();
    return verify_signature(body, {reinterpret_cast<std::uint8_t const*>(der.data()), der.size()}, policy(crl),
                            SystemClock{}.now());
  }
  std::string outcome(std::string const& name, std::string const& enclosed = "",
                      Requirement crl = Requirement::require) const {
    auto const result = verified(name, enclosed, crl);
    if (!result) UNSCOPED_INFO(result.error().line());
    return result ? "" : std::string{word(result.error().fault)};
  }
};

std::string const other = "/O=Imageswarm Test/CN=Other CA";
std::string const new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";

/// The CA "other" with a second key, its certificate and CRL under the next number; it has certified `fresh`.
void renew(Pki const& pki, std::string const& extensions, std::string const& crl_options) {
  pki.root("renewed", other, new_key);
  pki.anchor("renewed", "1");
  pki.request("fresh", "/O=Example/CN=Fresh Endorser");
  pki.request("stale", "/O=Example/CN=Stale Endorser");
  pki.issue("renewed", "fresh", extensions);
  pki.issue("other", "stale", extensions);
  pki.crl("renewed", "r1", crl_options);
  pki.crl("other", "r0", crl_options);
}

TEST_CASE("a CA that renewed its key is trusted with both, and both of its lists count") {
  Pki const pki;
  struct Row {
    char const* what;
    std::string extensions, crl_options;
  };
  auto const row =
      GENERATE(values<Row>({{"key identifiers", "-days 30", "-crlexts ident"},
                            {"no key identifier in certificates", "-days 30 -extensions bare", "-crlexts ident"},
                            {"no key identifier in lists", "-days 30", ""}}));
  INFO(row.what);
  renew(pki, row.extensions, row.crl_options);
  CHECK(pki.outcome("fresh") == "");
  CHECK(pki.outcome("stale") == "");
  pki.revoke("renewed", "fresh");
  pki.crl("renewed", "r1", row.crl_options);
  CHECK(pki.outcome("fresh") == "cert-revoked");
  CHECK(pki.outcome("stale") == "");
  pki.revoke("other", "stale");
  pki.crl("other", "r0", row.crl_options);
  CHECK(pki.outcome("stale") == "cert-revoked");
}

TEST_CASE("the list of one key of a CA does not stand for that of the other") {
  Pki const pki;
  renew(pki, "-days 30", "");
  fs::remove(pki.file_of("other", "r1"));
  CHECK(pki.outcome("fresh") == "crl-missing");
  CHECK(pki.outcome("stale") == "");
}

TEST_CASE("an expired certificate of a CA beside its successor does no harm") {
  Pki const pki;
  bool const expired_first = GENERATE(true, false);
  CAPTURE(expired_first);
  // The same key and name, so that both fit.
  pki.sh(
      "openssl ca -config ca/other.cnf -selfsign -batch -notext -preserveDN -in $(openssl x509 -x509toreq -in "
      "ca/other.pem -signkey ca/other.key -out ca/again.csr; echo ca/again.csr) -out ca/again.pem -extensions "
      "authority -startdate 20200101000000Z -enddate 20210101000000Z");
  fs::rename(pki.path() / "ca/again.pem", pki.file_of("other", expired_first ? "0.new" : "1"));
  if (expired_first) {
    fs::rename(pki.file_of("other", "0"), pki.file_of("other", "1"));
    fs::rename(pki.file_of("other", "0.new"), pki.file_of("other", "0"));
  }
  CHECK(pki.outcome("other-ada") == "");
}

TEST_CASE("an intermediate may come with the message or stand among the anchors") {
  Pki const pki;
  CHECK(pki.outcome("bob", "ca/issuing.pem") == "");
  CHECK(pki.outcome("bob") == "chain-untrusted");
  pki.anchor("issuing", "0");
  CHECK(pki.outcome("bob") == "");
  fs::remove(pki.file_of("root", "0"));  // an intermediate among the anchors is no root
  CHECK(pki.outcome("bob") == "chain-untrusted");
  CHECK(pki.outcome("bob", "ca/root.pem") == "chain-untrusted");
}

TEST_CASE("an intermediate that another root has certified as well leads to either") {
  Pki const pki;
  pki.sh("openssl x509 -x509toreq -in ca/issuing.pem -signkey ca/issuing.key -out ca/cross.csr");
  pki.sh(
      "openssl ca -config ca/other.cnf -batch -notext -preserveDN -in ca/cross.csr -out ca/cross.pem -extensions "
      "authority -days 30");
  pki.sh("cat ca/issuing.pem ca/cross.pem >ca/both.pem; cat ca/cross.pem ca/issuing.pem >ca/both-turned.pem");
  auto const enclosed = GENERATE(as<std::string>{}, "ca/cross.pem", "ca/both.pem", "ca/both-turned.pem");
  INFO(enclosed);
  CHECK(pki.outcome("bob", enclosed) == "");
  fs::remove(pki.file_of("root", "0"));
  CHECK(pki.outcome("bob", enclosed) == "");
}

TEST_CASE("a revoked intermediate ends all that it has signed, wherever it comes from") {
  Pki const pki;
  CHECK(pki.outcome("orphan", "ca/sinking.pem") == "cert-revoked");
  pki.anchor("sinking", "0");
  CHECK(pki.outcome("orphan") == "cert-revoked");
}

TEST_CASE("a certificate that is not marked as a CA's is none, whatever its key usage says") {
  Pki const pki;
  pki.request("unmarked", "/O=Imageswarm Test/CN=Unmarked CA");
  pki.issue("root", "unmarked", "-days 30 -extensions unmarked");
  pki.sh(
      "openssl x509 -req -in ca/bob.csr -CA unmarked.pem -CAkey unmarked.key -set_serial 1 -days 30 -extfile "
      "ca/root.cnf -extensions person -out below.pem && cp bob.key below.key");
  CHECK(pki.outcome("below", "unmarked.pem", Requirement::off) == "chain-untrusted");
}

TEST_CASE("roots without key identifiers are accepted, as some of the grid's are") {
  Pki const pki;
  pki.root("plain", "/O=Imageswarm Test/CN=Plain CA", new_key + " -extensions bare_authority");
  pki.request("fresh", "/O=Example/CN=Fresh Endorser");
  pki.anchor("plain", "0");
  pki.issue("plain", "fresh", "-days 30 -extensions bare");
  pki.crl("plain", "r0");
  CHECK(pki.outcome("fresh") == "");
}

TEST_CASE("a list by somebody else, of another kind or from the future does not stand for a CA's own") {
  Pki const pki;
  SECTION("by another CA") {
    fs::copy_file(pki.file_of("root", "r0"), pki.file_of("other", "r0"), fs::copy_options::overwrite_existing);
    CHECK(pki.outcome("other-ada") == "crl-missing");
  }
  SECTION("by an impostor with the CA's name") {
    pki.root("false", other, new_key);
    pki.crl("false", "r0");
    CHECK(pki.outcome("other-ada") == "crl-missing");
    pki.crl("false", "r1");
    CHECK(pki.outcome("other-ada", "", Requirement::if_present) ==
          "crl-missing");  // there are some, so none is missing
  }
  SECTION("indirect") {
    pki.crl("other", "r0", "-crlexts indirect");
    CHECK(pki.outcome("other-ada") == "crl-missing");
  }
  SECTION("with the changes alone") {
    pki.crl("other", "r0", "-crlexts delta");
    CHECK(pki.outcome("other-ada") == "crl-missing");
  }
  SECTION("from the future") {
    pki.crl("other", "r0", "-crl_lastupdate 20900101000000Z -crl_nextupdate 20910101000000Z");
    CHECK(pki.outcome("other-ada") == "crl-stale");
  }
}

TEST_CASE("what a delta list says is ignored beside a whole one") {
  Pki const pki;
  pki.request("fresh", "/O=Example/CN=Fresh Endorser");
  pki.issue("other", "fresh");
  pki.crl("other", "r0", "-crlexts ident");
  pki.revoke("other", "fresh");
  pki.crl("other", "r1", "-crlexts delta");
  CHECK(pki.outcome("fresh") == "");
  pki.crl("other", "r0", "-crlexts ident");
  CHECK(pki.outcome("fresh") == "cert-revoked");
}

TEST_CASE("a signer with a renewed certificate is the same one") {
  Pki const pki;
  pki.request("again", "/O=Example/CN=Ada Endorser");
  pki.issue("issuing", "again");
  auto const before = pki.verified("ada", "ca/issuing.pem"), after = pki.verified("again", "ca/issuing.pem");
  REQUIRE(before);
  REQUIRE(after);
  CHECK(before->signer.text() == after->signer.text());  // the key of its serial floor
  CHECK(before->signer.certificate_expires != after->signer.certificate_expires);
}

}  // namespace
}  // namespace imageswarm::trust
