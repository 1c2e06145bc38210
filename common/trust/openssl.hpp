#pragma once

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/identity.hpp"

/// What the .cpp files of this room share about OpenSSL; no other room includes it.
namespace imageswarm::trust {

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Deleter<CMS_ContentInfo_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;

/// A BIO that reads `text` in place.
BioPtr reader_of(std::string_view text);

/// What OpenSSL has to say about the last failure on this thread, on one line; empties its error queue.
std::string openssl_errors();

/// UTC. Nothing but a certificate's own times and signing times come this way. Fault: sig-invalid.
[[nodiscard]] Result<TimePoint> time_of(ASN1_TIME const* time);

/// One value per RDN, each a text without NUL: anything else has no safe comparison. Fault: signer-not-listed.
[[nodiscard]] Result<DistinguishedName> name_of(X509_NAME const* name);

/// For messages only: whatever the name holds.
std::string describe(X509_NAME const* name);

/// Subject, issuer and end of the certificate. Faults: as above.
[[nodiscard]] Result<Signer> signer_of(X509 const& certificate);

/// RSA of at least 2048 bits, P-256 or P-384: the keys that may sign a document. Fault: alg-weak.
[[nodiscard]] Result<> check_key(X509 const& certificate);

}  // namespace imageswarm::trust
