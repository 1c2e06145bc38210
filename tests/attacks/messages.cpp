// Hostile CMS messages over a good catalogue: what a plain `openssl cms -verify` lets pass, and more.
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <stdexcept>

#include "common/base/digest.hpp"
#include "common/base/file.hpp"
#include "common/trust/openssl.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/attacks/der.hpp"
#include "tests/attacks/host.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::string_literals;
using test::Forgery;

// DER of object identifiers, without their header.
std::string const data_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01",
                  enveloped_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
                  signed_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
                  type_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03",
                  digest_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04",
                  time_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05", sha1_oid = "\x2b\x0e\x03\x02\x1a",
                  sha256_oid = "\x60\x86\x48\x01\x65\x03\x04\x02\x01",
                  sha512_oid = "\x60\x86\x48\x01\x65\x03\x04\x02\x03", ecdsa_sha1_oid = "\x2a\x86\x48\xce\x3d\x04\x01",
                  ecdsa_sha512_oid = "\x2a\x86\x48\xce\x3d\x04\x03\x04",
                  unknown_oid = "\x2b\x06\x01\x04\x01\x86\x8d\x1f\x07";

enum Tag : std::uint8_t {
  integer = 0x02,
  octets = 0x04,
  null = 0x05,
  oid = 0x06,
  utf8 = 0x0c,
  utc_time = 0x17,
  sequence = 0x30,
  set = 0x31,
  context0 = 0xa0,
  context1 = 0xa1
};

std::string body() {
  return document::write(sample_catalogue());
}

/// A CMS message in parts, with names for those that are spoilt.
struct Message {
  Der whole;

  Der& signed_data() { return whole.at({1, 0}); }
  Der& version() { return signed_data().at({0}); }
  Der& digests() { return signed_data().at({1}); }
  Der& content() { return signed_data().at({2}); }
  Der& certificates() { return signed_data().at({3}); }
  Der& signers() { return signed_data().parts.back(); }
  Der& signer() { return signers().at({0}); }
  Der& attributes() { return signer().at({3}); }
  Der& signature() { return signer().at({5}); }
  /// Its set of values.
  Der& attribute(std::string const& name) {
    for (auto& each : attributes().parts) {
      if (each.at({0}).content == name) return each.at({1});
    }
    throw std::runtime_error{"no such attribute"};
  }
  void drop_attribute(std::string const& name) {
    std::erase_if(attributes().parts, [&](Der& each) { return each.at({0}).content == name; });
  }
  void add_attribute(std::string const& name, std::vector<Der> values) {
    attributes().parts.push_back(constructed(sequence, {primitive(oid, name), constructed(set, std::move(values))}));
  }
};

Message message_over(std::string_view text, Forgery const& forgery = {}) {
  auto const der = test::make_cms(text, forgery);
  return {Der::read({reinterpret_cast<char const*>(der.data()), der.size()})};
}

/// Bob himself signs what is now in the attributes.
void sign_again(Message& message) {
  auto const pem = read_file(ca().key("bob"), 1_MiB).value();
  trust::KeyPtr const key{PEM_read_bio_PrivateKey(trust::reader_of(pem).get(), nullptr, nullptr, nullptr)};
  auto attributes = message.attributes();
  attributes.tag = set;  // RFC 5652 §5.4
  auto const text = attributes.bytes();
  std::unique_ptr<EVP_MD_CTX, trust::Deleter<EVP_MD_CTX_free>> const context{EVP_MD_CTX_new()};
  std::string signature(256, '\0');
  auto size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<unsigned char const*>(text.data()), text.size()) != 1) {
    throw std::runtime_error{"cannot sign"};
  }
  signature.resize(size);
  message.signature().content = signature;
}

void sort_attributes(Message& message) {
  std::ranges::sort(message.attributes().parts, {}, [](Der const& each) { return each.bytes(); });
}

struct Row {
  char const* name;
  char const* expected;
  std::function<void(Message&)> spoil;
};

/// Bytes changed by somebody who has no key.
std::vector<Row> const spoilt{
    {"the length left open (BER)", "sig-invalid", [](Message& m) { m.whole.length = Der::Length::indefinite; }},
    {"the inner length left open (BER)", "sig-invalid",
     [](Message& m) { m.signed_data().length = Der::Length::indefinite; }},
    {"a padded length at the top", "sig-invalid", [](Message& m) { m.whole.length = Der::Length::padded; }},
    {"a padded length in the signer", "sig-invalid", [](Message& m) { m.signer().length = Der::Length::padded; }},
    {"a padded length of the signed attributes", "sig-invalid",
     [](Message& m) { m.attributes().length = Der::Length::padded; }},
    {"the signature in pieces (constructed OCTET STRING)", "sig-invalid",
     [](Message& m) { m.signature() = constructed(0x24, {primitive(octets, m.signature().content)}); }},
    {"the digest attribute in pieces", "sig-invalid",
     [](Message& m) {
       auto& value = m.attribute(digest_oid).at({0});
       value = constructed(0x24, {primitive(octets, value.content)});
     }},
    {"signed attributes in another order", "sig-invalid",
     [](Message& m) { std::ranges::reverse(m.attributes().parts); }},
    {"an element behind the SignedData", "sig-invalid",
     [](Message& m) { m.whole.parts.push_back(primitive(null, "")); }},
    {"two SignedData in one", "sig-invalid", [](Message& m) { m.whole.at({1}).parts.push_back(m.signed_data()); }},
    {"an element behind the signer's", "sig-invalid",
     [](Message& m) { m.signed_data().parts.push_back(constructed(set, {})); }},
    {"called enveloped data", "sig-invalid", [](Message& m) { m.whole.at({0}).content = enveloped_oid; }},
    {"called plain data", "sig-invalid", [](Message& m) { m.whole.at({0}).content = data_oid; }},
    {"over enveloped data", "sig-invalid", [](Message& m) { m.content().at({0}).content = enveloped_oid; }},
    {"over signed data", "sig-invalid", [](Message& m) { m.content().at({0}).content = signed_oid; }},
    {"the content enclosed", "sig-invalid",
     [](Message& m) { m.content().parts.push_back(constructed(context0, {primitive(octets, body())})); }},
    {"other content enclosed", "sig-invalid",
     [](Message& m) { m.content().parts.push_back(constructed(context0, {primitive(octets, "document: menu\n")})); }},
    {"empty content enclosed", "sig-invalid",
     [](Message& m) { m.content().parts.push_back(constructed(context0, {primitive(octets, "")})); }},
    {"version 0", "sig-invalid", [](Message& m) { m.version().content = "\0"s; }},
    {"version 3", "sig-invalid", [](Message& m) { m.version().content = "\3"; }},
    {"version 5", "sig-invalid", [](Message& m) { m.version().content = "\5"; }},
    {"a padded version", "sig-invalid", [](Message& m) { m.version().content = "\0\1"s; }},
    {"the signer's version 3", "sig-invalid", [](Message& m) { m.signer().at({0}).content = "\3"; }},
    {"no digest announced", "sig-invalid", [](Message& m) { m.digests().parts.clear(); }},
    {"SHA-512 announced for SHA-256", "sig-invalid",
     [](Message& m) {
       m.digests().at({0, 0}).content = sha512_oid;
     }},
    {"two digests announced", "sig-invalid", [](Message& m) { m.digests().parts.push_back(m.digests().at({0})); }},
    {"the digest's parameters not empty", "sig-invalid",
     [](Message& m) { m.digests().at({0}).parts.push_back(primitive(integer, "\1")); }},
    {"nobody signs", "sig-invalid", [](Message& m) { m.signers().parts.clear(); }},
    {"the same signer twice", "sig-invalid", [](Message& m) { m.signers().parts.push_back(m.signer()); }},
    {"no signed attributes", "sig-invalid", [](Message& m) { m.signer().parts.erase(m.signer().parts.begin() + 3); }},
    {"signed attributes that are empty", "sig-invalid", [](Message& m) { m.attributes().parts.clear(); }},
    {"the signer's digest called SHA-1", "alg-weak",
     [](Message& m) {
       m.digests().at({0, 0}).content = m.signer().at({2, 0}).content = sha1_oid;
     }},
    {"the signer's digest called SHA-512", "sig-invalid",
     [](Message& m) {
       m.digests().at({0, 0}).content = m.signer().at({2, 0}).content = sha512_oid;
     }},
    {"the algorithm called ECDSA with SHA-1", "sig-invalid",
     [](Message& m) {
       m.signer().at({4, 0}).content = ecdsa_sha1_oid;
     }},
    {"the algorithm called ECDSA with SHA-512", "sig-invalid",
     [](Message& m) {
       m.signer().at({4, 0}).content = ecdsa_sha512_oid;
     }},
    {"an unknown algorithm", "sig-invalid",
     [](Message& m) {
       m.signer().at({4, 0}).content = unknown_oid;
     }},
    {"parameters to the algorithm", "sig-invalid",
     [](Message& m) { m.signer().at({4}).parts.push_back(primitive(octets, "x")); }},
    {"an empty signature", "sig-invalid", [](Message& m) { m.signature().content.clear(); }},
    {"a signature of r = s = 0", "sig-invalid",
     [](Message& m) { m.signature().content = "\x30\x06\x02\x01\0\x02\x01\0"s; }},
    {"a signature of zeros", "sig-invalid",
     [](Message& m) { m.signature().content.assign(m.signature().content.size(), '\0'); }},
    {"a byte behind the signature value", "sig-invalid", [](Message& m) { m.signature().content += '\0'; }},
    {"the digest attribute changed", "sig-invalid",
     [](Message& m) { m.attribute(digest_oid).at({0}).content[0] ^= 1; }},
    {"another serial number of the signer", "sig-invalid",
     [](Message& m) {
       m.signer().at({1, 1}).content.back() ^= 1;
     }},
    {"the issuer's name in other case", "sig-invalid",
     [](Message& m) {
       auto& common_name = m.signer().at({1, 0}).parts.back().at({0, 1}).content;
       std::ranges::transform(common_name, common_name.begin(),
                              [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
     }},
    {"no certificates", "sig-invalid",
     [](Message& m) { m.signed_data().parts.erase(m.signed_data().parts.begin() + 3); }},
    {"the intermediate's certificate alone", "sig-invalid",
     [](Message& m) {
       std::erase_if(m.certificates().parts, [](Der& each) { return each.bytes().find("Bob") != std::string::npos; });
     }},
    {"garbage among the certificates", "sig-invalid",
     [](Message& m) { m.certificates().parts.push_back(constructed(sequence, {primitive(integer, "\1")})); }},
    {"a certificate of an unknown kind, which nobody reads", "accepted",
     [](Message& m) { m.certificates().parts.push_back(constructed(0xa3, {primitive(oid, unknown_oid)})); }},
    {"garbage among the CRLs", "sig-invalid",
     [](Message& m) {
       m.signed_data().parts.insert(m.signed_data().parts.begin() + 4,
                                    constructed(context1, {constructed(sequence, {primitive(integer, "\1")})}));
     }},
    {"the certificates in another order", "accepted", [](Message& m) { std::ranges::reverse(m.certificates().parts); }},
    {"a certificate twice", "accepted", [](Message& m) { m.certificates().parts.push_back(m.certificates().at({0})); }},
    {"an attribute that nobody signed", "accepted",
     [](Message& m) {
       m.signer().parts.push_back(constructed(
           context1, {constructed(sequence, {primitive(oid, unknown_oid), constructed(set, {primitive(null, "")})})}));
     }},
};

/// Attributes that Bob signs though he should not.
std::vector<Row> const signed_again{
    {"nothing changed, signed again", "accepted", [](Message&) {}},
    {"no content type", "sig-invalid", [](Message& m) { m.drop_attribute(type_oid); }},
    {"no digest", "sig-invalid", [](Message& m) { m.drop_attribute(digest_oid); }},
    {"no signing time", "sig-invalid", [](Message& m) { m.drop_attribute(time_oid); }},
    {"content type signed data", "sig-invalid", [](Message& m) { m.attribute(type_oid).at({0}).content = signed_oid; }},
    {"content type that is text", "sig-invalid",
     [](Message& m) { m.attribute(type_oid).at({0}) = primitive(utf8, "data"); }},
    {"the digest of something else", "sig-invalid",
     [](Message& m) { m.attribute(digest_oid).at({0}).content = std::string(32, 'x'); }},
    {"a digest cut to 20 bytes", "sig-invalid", [](Message& m) { m.attribute(digest_oid).at({0}).content.resize(20); }},
    {"an empty digest", "sig-invalid", [](Message& m) { m.attribute(digest_oid).at({0}).content.clear(); }},
    {"two digests, the right one first", "sig-invalid",
     [](Message& m) { m.attribute(digest_oid).parts.push_back(primitive(octets, std::string(32, 'x'))); }},
    {"two digest attributes", "sig-invalid",
     [](Message& m) { m.add_attribute(digest_oid, {primitive(octets, std::string(32, 'x'))}); }},
    {"a digest attribute without a value", "sig-invalid", [](Message& m) { m.attribute(digest_oid).parts.clear(); }},
    {"two signing times", "sig-invalid",
     [](Message& m) { m.add_attribute(time_oid, {primitive(utc_time, "200101000000Z")}); }},
    {"a signing time that is none", "sig-invalid",
     [](Message& m) { m.attribute(time_oid).at({0}) = primitive(utc_time, "yesterday"); }},
    {"a signing time that is a number", "sig-invalid",
     [](Message& m) { m.attribute(time_oid).at({0}) = primitive(integer, "\1"); }},
    {"a signing time long ago, which is only a claim", "accepted",
     [](Message& m) { m.attribute(time_oid).at({0}) = primitive(utc_time, "500101000000Z"); }},
    {"a signing time to come, which is only a claim", "accepted",
     [](Message& m) { m.attribute(time_oid).at({0}) = primitive(utc_time, "491231235959Z"); }},
    {"an attribute that nobody knows", "accepted",
     [](Message& m) { m.add_attribute(unknown_oid, {primitive(null, "")}); }},
};

struct ForgeryRow {
  char const* name;
  char const* expected;
  Forgery forgery;
};

std::vector<ForgeryRow> const forgeries{
    {"SHA-384", "accepted", {.digest = EVP_sha384()}},
    {"SHA-512", "accepted", {.signer = "ada", .digest = EVP_sha512()}},
    {"the signer named by key identifier", "accepted", {.flags = CMS_USE_KEYID}},
    {"somebody else's certificates enclosed", "accepted", {.extra_certificates = "ada.pem"}},
    {"a CRL enclosed", "accepted", {.crl = "crl/before.pem"}},
    {"RSA with SHA-1", "alg-weak", {.signer = "ada", .digest = EVP_sha1()}},
    {"ECDSA with SHA-1", "alg-weak", {.digest = EVP_sha1()}},
    {"RSA with MD5", "alg-weak", {.signer = "ada", .digest = EVP_md5()}},
    {"RSA with RIPEMD-160", "alg-weak", {.signer = "ada", .digest = EVP_ripemd160()}},
    {"ECDSA with SHA-224", "alg-weak", {.digest = EVP_sha224()}},
    {"signed without signed attributes", "sig-invalid", {.flags = CMS_NOATTR}},
    {"two signers, both listed", "sig-invalid", {.second_signer = "ada"}},
    {"a listed signer and a stranger", "sig-invalid", {.second_signer = "stranger"}},
    {"no certificate of the signer enclosed", "sig-invalid", {.flags = CMS_NOCERTS}},
    {"no intermediate enclosed", "chain-untrusted", {.intermediates = false}},
    {"a revoked signer with the CRL from before", "cert-revoked", {.signer = "revoked", .crl = "crl/before.pem"}},
    {"a stranger with the root that certifies him",
     "chain-untrusted",
     {.signer = "stranger", .extra_certificates = "ca/impostor.pem"}},
    {"a stranger with the certificate of whom he plays",
     "chain-untrusted",
     {.signer = "stranger", .extra_certificates = "ada.pem"}},
};

std::string offered(Message const& message) {
  return offer(sealed(body(), message.whole.bytes()));
}

/// A genuine signature passed off as one over its own signed attributes, which carry it without any of their own
/// (draft-ietf-lamps-cms-euf-cma-signeddata). The attributes must end in LF to be a body, so the text is varied.
std::string attributes_as_content() {
  auto const base = body();
  for (int i = 0;; ++i) {
    auto const text = base + "# " + std::to_string(i) + "\n";
    if (digest_of<Sha256>(text).bytes.back() != '\n') continue;
    auto message = message_over(text, {.flags = CMS_NOSMIMECAP});
    auto attributes = message.attributes();
    attributes.tag = set;
    message.signer().parts.erase(message.signer().parts.begin() + 3);
    return offer(sealed(attributes.bytes(), message.whole.bytes()));
  }
}

}  // namespace

Table messages() {
  Table table;
  auto const add = [&](char const* name, char const* expected, std::function<std::string()> outcome) {
    table.push_back({"document", name, expected, std::move(outcome)});
  };
  for (auto const& row : forgeries) {
    add(row.name, row.expected, [&row] { return offer(forged(body(), row.forgery)); });
  }
  for (auto const& row : spoilt) {
    add(row.name, row.expected, [&row] {
      auto message = message_over(body());
      row.spoil(message);
      return offered(message);
    });
  }
  for (auto const& row : signed_again) {
    add(row.name, row.expected, [&row] {
      auto message = message_over(body());
      row.spoil(message);
      sort_attributes(message);
      sign_again(message);
      return offered(message);
    });
  }
  add("signed attributes in an order of the signer's own", "sig-invalid", [] {
    auto message = message_over(body());
    sort_attributes(message);
    std::ranges::reverse(message.attributes().parts);
    sign_again(message);
    return offered(message);
  });
  add("the attributes of a genuine signature as the document", "sig-invalid", attributes_as_content);
  add("a genuine signature over another catalogue", "sig-invalid",
      [] { return offer(sealed(body(), message_over(body() + "# \n").whole.bytes())); });
  add("a byte behind the message", "sig-invalid",
      [] { return offer(sealed(body(), message_over(body()).whole.bytes() + '\0')); });
  add("the message twice", "sig-invalid", [] {
    auto const der = message_over(body()).whole.bytes();
    return offer(sealed(body(), der + der));
  });
  add("the message cut off", "sig-invalid", [] {
    auto const der = message_over(body()).whole.bytes();
    return offer(sealed(body(), der.substr(0, der.size() - 1)));
  });
  add("no DER at all", "sig-invalid", [] { return offer(sealed(body(), "signed: me")); });
  add("a certificate instead of a message", "sig-invalid",
      [] { return offer(sealed(body(), message_over(body()).certificates().at({0}).bytes())); });
  add("nesting without end", "sig-invalid", [] { return offer(sealed(body(), std::string(40'000, '\x30'))); });
  add("a thousand certificates", "doc-signature-block", [] {
    auto message = message_over(body());
    auto const one = message.certificates().at({0});
    message.certificates().parts.resize(1000, one);
    return offered(message);
  });
  return table;
}

}  // namespace imageswarm::attacks
