#include "tests/attacks/certificate.hpp"

#include <openssl/pem.h>

#include <stdexcept>
#include <string_view>

#include "common/base/file.hpp"
#include "common/trust/openssl.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::attacks {
namespace {

using trust::CertificatePtr;
using trust::KeyPtr;

std::filesystem::path file(std::string const& name) {
  return test::TestCa::instance().path() / name;
}

void demand(bool good) {
  if (!good) throw std::runtime_error{"cannot issue: " + trust::openssl_errors()};
}

KeyPtr new_key(Certificate const& wanted) {
  std::string_view const curve = wanted.curve;
  KeyPtr key{curve == "RSA"       ? EVP_RSA_gen(wanted.bits)
             : curve == "ED25519" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                  : EVP_EC_gen(wanted.curve)};
  demand(key != nullptr);
  return key;
}

void set_subject(X509* certificate, std::vector<NameValue> const& subject) {
  auto* name = X509_get_subject_name(certificate);
  for (auto const& value : subject) {
    demand(X509_NAME_add_entry_by_NID(name, value.type, value.encoding,
                                      reinterpret_cast<unsigned char const*>(value.bytes.data()),
                                      static_cast<int>(value.bytes.size()), -1, value.with_previous ? -1 : 0) == 1);
  }
}

void add_extensions(X509* certificate, X509* issuer, std::vector<Extension> const& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  for (auto const& [type, value] : extensions) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, type, value);
    demand(extension && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }
}

std::string pem_of(X509* certificate, std::string const& behind) {
  trust::BioPtr const text{BIO_new(BIO_s_mem())};
  demand(PEM_write_bio_X509(text.get(), certificate) == 1);
  char* data = nullptr;
  auto const size = BIO_get_mem_data(text.get(), &data);
  return std::string{data, static_cast<std::size_t>(size)} + behind;
}

}  // namespace

void issue(std::string const& name, Certificate const& wanted) {
  auto const issuer_pem = read_file(file(wanted.issuer + ".pem"), 1_MiB).value();
  auto const key_pem = read_file(file(wanted.issuer + ".key"), 1_MiB).value();
  CertificatePtr const issuer{PEM_read_bio_X509(trust::reader_of(issuer_pem).get(), nullptr, nullptr, nullptr)};
  KeyPtr const issuer_key{PEM_read_bio_PrivateKey(trust::reader_of(key_pem).get(), nullptr, nullptr, nullptr)};
  auto const key = new_key(wanted);
  CertificatePtr const certificate{X509_new()};
  static long serial = 1'000'000;
  demand(X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), wanted.begins) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), wanted.ends) == 1 &&
         X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) == 1 &&
         X509_set_pubkey(certificate.get(), key.get()) == 1);
  set_subject(certificate.get(), wanted.subject);
  add_extensions(certificate.get(), issuer.get(), wanted.extensions);
  demand(X509_sign(certificate.get(), issuer_key.get(), wanted.digest) > 0);

  trust::BioPtr const key_text{BIO_new_file(file(name + ".key").c_str(), "w")};
  demand(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  if (!write_file_atomically(file(name + ".pem"), pem_of(certificate.get(), issuer_pem))) demand(false);
}

}  // namespace imageswarm::attacks
