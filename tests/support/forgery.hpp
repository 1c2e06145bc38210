#pragma once

#include <openssl/cms.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imageswarm::test {

/// A CMS signature that an honest signer would not make; `make_cms` throws where OpenSSL refuses.
struct Forgery {
  std::string signer = "bob";           ///< of the test CA
  std::string second_signer = {};       ///< signs too
  std::string crl = {};                 ///< enclosed; a file of the test CA
  std::string extra_certificates = {};  ///< enclosed; a file of the test CA
  EVP_MD const* digest = EVP_sha256();
  unsigned flags = 0;         ///< beside CMS_BINARY, CMS_DETACHED, CMS_PARTIAL
  bool intermediates = true;  ///< enclosed
};

std::vector<std::uint8_t> make_cms(std::string_view body, Forgery const& forgery);

}  // namespace imageswarm::test
