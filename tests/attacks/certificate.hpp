#pragma once

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

namespace imageswarm::attacks {

/// One value of a distinguished name as it stands in a certificate, in whatever encoding.
struct NameValue {
  int type = NID_commonName;
  std::string bytes;
  int encoding = V_ASN1_UTF8STRING;
  bool with_previous = false;  ///< in the same part (RDN) as the one before
};

struct Extension {
  int type;
  char const* value;  ///< as in openssl.cnf
};

/// A certificate that no decent CA would issue.
struct Certificate {
  std::vector<NameValue> subject{{NID_organizationName, "Example"}, {NID_commonName, "Ada Endorser"}};
  std::string issuer = "ca/issuing";  ///< files of the test CA, without .pem and .key
  char const* curve = "P-256";        ///< or "RSA" with `bits`, "ED25519"
  unsigned bits = 0;
  EVP_MD const* digest = EVP_sha256();
  std::vector<Extension> extensions{{NID_key_usage, "critical,digitalSignature"}};
  char const* begins = "20200101000000Z";
  char const* ends = "20891231235959Z";
};

/// Writes NAME.pem (with the issuer's chain behind it) and NAME.key into the test CA's directory, so that a forgery can
/// name it as its signer.
void issue(std::string const& name, Certificate const& certificate);

}  // namespace imageswarm::attacks
