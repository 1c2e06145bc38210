// Who signed: certificates that must not, names that only look like a listed one, chains and revocation.
#include <unistd.h>

#include <filesystem>

#include "tests/attacks/attack.hpp"
#include "tests/attacks/certificate.hpp"
#include "tests/attacks/host.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::string_literals;
using test::Forgery;
namespace fs = std::filesystem;

std::string body() {
  return document::write(sample_catalogue());
}

struct SignerRow {
  char const* signer;
  char const* expected;
};

/// Of the test CA, whose head says who they are.
constexpr SignerRow signers[] = {
    {"ada", "accepted"},
    {"bob", "accepted"},
    {"other-ada", "accepted"},
    {"grace", "signer-not-listed"},
    {"site-security", "signer-not-listed"},
    {"stranger", "chain-untrusted"},
    {"expired", "cert-expired"},
    {"early", "cert-not-yet-valid"},
    {"revoked", "cert-revoked"},
    {"orphan", "cert-revoked"},
    {"server", "cert-purpose"},
    {"agreement", "cert-purpose"},
    {"proxy", "cert-purpose"},
    {"weak-key", "alg-weak"},
    {"weak-digest", "alg-weak"},
    {"p521", "alg-weak"},
    {"extra-cn", "signer-not-listed"},
    {"folded", "signer-not-listed"},
    {"two-in-one", "signer-not-listed"},
};

struct CertificateRow {
  char const* name;
  char const* expected;
  Certificate certificate;
};

std::vector<NameValue> ada_as(std::string common_name, int encoding = V_ASN1_UTF8STRING) {
  return {{NID_organizationName, "Example"}, {NID_commonName, std::move(common_name), encoding}};
}

std::string wide(std::string_view text, std::size_t octets) {
  std::string wide;
  for (char const c : text) wide += std::string(octets - 1, '\0') + c;
  return wide;
}

/// A decent CA signs names that its customers chose.
std::vector<CertificateRow> const names{
    {"the listed name", "accepted", {}},
    {"the listed name in PrintableString", "accepted", {.subject = ada_as("Ada Endorser", V_ASN1_PRINTABLESTRING)}},
    {"the listed name in T61String", "accepted", {.subject = ada_as("Ada Endorser", V_ASN1_T61STRING)}},
    {"the listed name in BMPString", "accepted", {.subject = ada_as(wide("Ada Endorser", 2), V_ASN1_BMPSTRING)}},
    {"the listed name in UniversalString",
     "accepted",
     {.subject = ada_as(wide("Ada Endorser", 4), V_ASN1_UNIVERSALSTRING)}},
    {"another letter in case", "signer-not-listed", {.subject = ada_as("Ada endorser")}},
    {"two blanks", "signer-not-listed", {.subject = ada_as("Ada  Endorser")}},
    {"a blank in front", "signer-not-listed", {.subject = ada_as(" Ada Endorser")}},
    {"a blank at the end", "signer-not-listed", {.subject = ada_as("Ada Endorser ")}},
    {"a no-break space",
     "signer-not-listed",
     {.subject = ada_as("Ada\xc2\xa0"
                        "Endorser")}},
    {"a Cyrillic A",
     "signer-not-listed",
     {.subject = ada_as("\xd0\x90"
                        "da Endorser")}},
    {"a zero-width space", "signer-not-listed", {.subject = ada_as("Ada\xe2\x80\x8b Endorser")}},
    {"text written from right to left", "signer-not-listed", {.subject = ada_as("\xe2\x80\xaeresrodnE adA")}},
    {"a name that begins with the listed one", "signer-not-listed", {.subject = ada_as("Ada Endorser 2")}},
    {"a name that the listed one begins with", "signer-not-listed", {.subject = ada_as("Ada")}},
    {"a NUL and more behind it", "signer-not-listed", {.subject = ada_as("Ada Endorser\0.evil"s)}},
    {"a NUL at the end", "signer-not-listed", {.subject = ada_as("Ada Endorser\0"s)}},
    {"a line feed at the end", "signer-not-listed", {.subject = ada_as("Ada Endorser\n")}},
    {"an empty name", "signer-not-listed", {.subject = ada_as("")}},
    {"no name at all", "signer-not-listed", {.subject = {}}},
    {"the slash form inside of one value", "signer-not-listed", {.subject = ada_as("x/O=Example/CN=Ada Endorser")}},
    {"RFC 2253 inside of one value", "signer-not-listed", {.subject = {{NID_commonName, "Ada Endorser,O=Example"}}}},
    {"escapes inside of one value", "signer-not-listed", {.subject = ada_as("Ada\\ Endorser")}},
    {"another organisation",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Examples"}, {NID_commonName, "Ada Endorser"}}}},
    {"no organisation", "signer-not-listed", {.subject = {{NID_commonName, "Ada Endorser"}}}},
    {"a unit of the organisation too",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"},
                  {NID_organizationalUnitName, "Guests"},
                  {NID_commonName, "Ada Endorser"}}}},
    {"a country in front",
     "signer-not-listed",
     {.subject = {{NID_countryName, "DE", V_ASN1_PRINTABLESTRING},
                  {NID_organizationName, "Example"},
                  {NID_commonName, "Ada Endorser"}}}},
    {"the parts in the other order",
     "signer-not-listed",
     {.subject = {{NID_commonName, "Ada Endorser"}, {NID_organizationName, "Example"}}}},
    {"another name behind the listed one",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"}, {NID_commonName, "Ada Endorser"}, {NID_commonName, "Mallory"}}}},
    {"another name in front of the listed one",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"}, {NID_commonName, "Mallory"}, {NID_commonName, "Ada Endorser"}}}},
    {"the listed name twice",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"},
                  {NID_commonName, "Ada Endorser"},
                  {NID_commonName, "Ada Endorser"}}}},
    {"organisation and name in one part",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"}, {NID_commonName, "Ada Endorser", V_ASN1_UTF8STRING, true}}}},
    {"a mail address of that name",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"}, {NID_pkcs9_emailAddress, "Ada Endorser", V_ASN1_IA5STRING}}}},
    {"a surname instead of a common name",
     "signer-not-listed",
     {.subject = {{NID_organizationName, "Example"}, {NID_surname, "Ada Endorser"}}}},
    {"the listed name as an alternative name",
     "signer-not-listed",
     {.subject = ada_as("Mallory"),
      .extensions = {{NID_key_usage, "critical,digitalSignature"},
                     {NID_subject_alt_name, "URI:/O=Example/CN=Ada Endorser"}}}},
};

std::vector<CertificateRow> const uses{
    {"use: non-repudiation alone", "accepted", {.extensions = {{NID_key_usage, "critical,nonRepudiation"}}}},
    {"use: mail protection", "accepted", {.extensions = {{NID_ext_key_usage, "emailProtection"}}}},
    {"use: no limits at all", "accepted", {.extensions = {}}},
    {"use: a client's", "cert-purpose", {.extensions = {{NID_ext_key_usage, "clientAuth"}}}},
    {"use: code signing", "cert-purpose", {.extensions = {{NID_ext_key_usage, "codeSigning"}}}},
    {"use: time stamping", "cert-purpose", {.extensions = {{NID_ext_key_usage, "critical,timeStamping"}}}},
    {"use: OCSP signing", "cert-purpose", {.extensions = {{NID_ext_key_usage, "OCSPSigning"}}}},
    {"use: key encipherment alone", "cert-purpose", {.extensions = {{NID_key_usage, "critical,keyEncipherment"}}}},
    {"use: a CA's",
     "cert-purpose",
     {.extensions = {{NID_basic_constraints, "critical,CA:true"}, {NID_key_usage, "critical,keyCertSign,cRLSign"}}}},
    {"use: a critical extension that nobody knows",
     "chain-untrusted",
     {.extensions = {{NID_netscape_comment, "critical,trust me"}}}},
    {"key: RSA of 3072 bits", "accepted", {.curve = "RSA", .bits = 3072}},
    {"key: P-384", "accepted", {.curve = "P-384"}},
    {"key: RSA of 1024 bits", "alg-weak", {.curve = "RSA", .bits = 1024}},
    {"key: RSA of 2040 bits", "alg-weak", {.curve = "RSA", .bits = 2040}},
    {"key: P-192", "alg-weak", {.curve = "P-192"}},
    {"key: P-224", "alg-weak", {.curve = "P-224"}},
    {"key: secp256k1", "alg-weak", {.curve = "secp256k1"}},
    {"key: brainpoolP256r1", "alg-weak", {.curve = "brainpoolP256r1"}},
    {"digest of the certificate: SHA-512", "accepted", {.digest = EVP_sha512()}},
    {"digest of the certificate: SHA-1", "alg-weak", {.digest = EVP_sha1()}},
    {"time: ended a second before CRLs began", "cert-expired", {.ends = "20200101000001Z"}},
    {"time: ends before it begins", "cert-not-yet-valid", {.begins = "20891231235959Z", .ends = "20200101000000Z"}},
    {"issued by a person", "chain-untrusted", {.issuer = "bob"}},
    {"issued by a CA that is revoked", "cert-revoked", {.issuer = "ca/sinking"}},
    {"issued by the root itself", "accepted", {.issuer = "ca/root"}},
    {"issued by nobody who is trusted", "chain-untrusted", {.issuer = "ca/impostor"}},
};

std::string own_name(char const* what) {
  return what + std::to_string(::getpid());
}

std::string offer_by(Certificate const& certificate) {
  auto const name = own_name("made");
  issue(name, certificate);
  return offer(forged(body(), {.signer = name}));
}

constexpr char const* authority = "critical,CA:true";

/// A chain of that many CAs below the issuing one; the last certifies Ada.
std::string offer_below(int authorities, char const* constraints, char const* further = nullptr) {
  std::string issuer = "ca/issuing";
  for (int i = 0; i < authorities; ++i) {
    auto const name = own_name("authority") + "-" + std::to_string(i);
    Certificate sub{.subject = {{NID_organizationName, "Imageswarm Test"}, {NID_commonName, name}}, .issuer = issuer};
    sub.extensions = {{NID_basic_constraints, i == 0 ? constraints : authority},
                      {NID_key_usage, "critical,keyCertSign,cRLSign"}};
    if (further) sub.extensions.push_back({NID_name_constraints, further});
    issue(name, sub);
    issuer = name;
  }
  auto const leaf = own_name("made");
  issue(leaf, {.issuer = issuer, .extensions = {{NID_subject_alt_name, "email:ada@elsewhere.example"}}});
  auto policy = ca().anchors();
  policy.crl = trust::Requirement::if_present;  // they issue none
  return offer(forged(body(), {.signer = leaf}), subscription(), policy);
}

/// A copy of the test CA's own files after `line` of shell in their directory, in which $issuing and $root are the
/// hashes of those CAs.
struct SpoiltAnchors {
  explicit SpoiltAnchors(std::string const& line) {
    for (auto const* part : {"anchors", "ca", "crl"}) {
      fs::copy(ca().path() / part, directory / part, fs::copy_options::recursive);
    }
    test::shell(directory.path(),
                "issuing=$(openssl x509 -noout -subject_hash -in ca/issuing.pem) && "
                "root=$(openssl x509 -noout -subject_hash -in ca/root.pem) && " +
                    line);
  }
  trust::AnchorPolicy policy(trust::Requirement crl = trust::Requirement::require) const {
    return {directory / "anchors", crl};
  }
  test::TemporaryDirectory directory;
};

struct CrlRow {
  char const* name;
  char const* expected;
  char const* signer;
  char const* change;
  trust::Requirement crl = trust::Requirement::require;
};

std::vector<CrlRow> const crls{
    {"lists in date", "accepted", "bob", "true"},
    {"no list of the issuing CA", "crl-missing", "bob", "rm anchors/$issuing.r0"},
    {"no list of the root", "crl-missing", "bob", "rm anchors/$root.r0"},
    {"no list, and none demanded", "accepted", "bob", "rm anchors/*.r0", trust::Requirement::if_present},
    {"a list that is stale", "crl-stale", "bob", "cp crl/stale.pem anchors/$issuing.r0"},
    {"a stale list where none is demanded", "crl-stale", "bob", "cp crl/stale.pem anchors/$issuing.r0",
     trust::Requirement::if_present},
    {"the list of another CA under this one's name", "crl-missing", "bob", "cp anchors/$root.r0 anchors/$issuing.r0"},
    {"an empty list file", "crl-missing", "bob", ": >anchors/$issuing.r0"},
    {"a list that is no list", "crl-missing", "bob", "cp ca/root.pem anchors/$issuing.r0"},
    {"a list that somebody else signed", "crl-missing", "bob",
     "openssl ca -config ca/impostor.cnf -gencrl -crl_lastupdate 20200102000000Z -crl_nextupdate 20891231000000Z -out "
     "anchors/$issuing.r0"},
    {"a list from tomorrow", "crl-stale", "bob",
     "openssl ca -config ca/issuing.cnf -gencrl -crl_lastupdate 20890101000000Z -crl_nextupdate 20891231000000Z "
     "-out anchors/$issuing.r0"},
    {"revoked since", "cert-revoked", "bob",
     "openssl ca -config ca/issuing.cnf -revoke ca/bob.leaf && openssl ca -config ca/issuing.cnf -gencrl "
     "-crl_lastupdate 20200102000000Z -crl_nextupdate 20891231000000Z -out "
     "anchors/$issuing.r0"},
    {"revoked, the list in DER", "cert-revoked", "revoked",
     "openssl crl -in anchors/$issuing.r0 -outform DER -out der && mv der anchors/$issuing.r0"},
    {"revoked, where lists are only used if present", "cert-revoked", "revoked", "true",
     trust::Requirement::if_present},
    {"a revoked intermediate, its own list gone", "cert-revoked", "orphan",
     "rm anchors/$(openssl x509 -noout -subject_hash -in ca/sinking.pem).r0", trust::Requirement::if_present},
    {"an older list put back beside the new one", "cert-revoked", "revoked", "cp crl/before.pem anchors/$issuing.r1"},
    {"no root", "chain-untrusted", "bob", "rm anchors/$root.0"},
    {"the intermediate as an anchor without its root", "chain-untrusted", "bob",
     "rm anchors/$root.0; cp ca/issuing.pem anchors/$issuing.0"},
    {"no anchors", "anchors-unreadable", "bob", "rm anchors/*.0"},
    {"no directory", "anchors-unreadable", "bob", "rm -r anchors"},
};

}  // namespace

Table identities() {
  ca();  // before there are children, which share it
  Table table;
  auto const add = [&](std::string name, std::string expected, std::function<std::string()> outcome) {
    table.push_back({"identity", std::move(name), std::move(expected), std::move(outcome)});
  };
  for (auto const& row : signers) {
    add("signed by "s + row.signer, row.expected, [&row] { return offer(forged(body(), {.signer = row.signer})); });
  }
  for (auto const* rows : {&names, &uses}) {
    auto const* what = rows == &names ? "name: " : "";
    for (auto const& row : *rows) {
      add(std::string{what} + row.name, row.expected, [&row] { return offer_by(row.certificate); });
    }
  }
  add("chain: three CAs below the issuing one", "accepted", [] { return offer_below(3, authority); });
  add("chain: four CAs below the issuing one", "chain-untrusted", [] { return offer_below(4, authority); });
  add("chain: a CA that may have none below it", "chain-untrusted",
      [] { return offer_below(2, "critical,CA:true,pathlen:0"); });
  add("chain: a CA that is none", "chain-untrusted", [] { return offer_below(1, "critical,CA:false"); });
  add("chain: a CA for another name", "chain-untrusted",
      [] { return offer_below(1, authority, "critical,permitted;email:example.org"); });
  for (auto const& row : crls) {
    add("CRL: "s + row.name, row.expected, [&row] {
      SpoiltAnchors const anchors{row.change};
      return offer(forged(body(), {.signer = row.signer}), subscription(), anchors.policy(row.crl));
    });
  }
  add("issuer: the same name from another CA, where the CA is pinned", "signer-not-listed", [] {
    auto expected = subscription();
    expected.signers = {pattern("CN=Ada Endorser,O=Example", "CN=Test Issuing CA,O=Imageswarm Test")};
    return offer(signed_by("other-ada", sample_catalogue()), expected);
  });
  add("issuer: the pinned one", "accepted", [] {
    auto expected = subscription();
    expected.signers = {pattern("CN=Ada Endorser,O=Example", "CN=Test Issuing CA,O=Imageswarm Test")};
    return offer(signed_by("ada", sample_catalogue()), expected);
  });
  add("nobody listed", "signer-not-listed", [] {
    auto expected = subscription();
    expected.signers.clear();
    return offer(signed_by("bob", sample_catalogue()), expected);
  });
  return table;
}

}  // namespace imageswarm::attacks
