#include "tests/support/forgery.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdexcept>

#include "common/base/file.hpp"
#include "common/trust/openssl.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::test {
namespace {

void demand(bool good) {
  if (!good) throw std::runtime_error{"cannot forge: " + trust::openssl_errors()};
}

std::string pem(std::filesystem::path const& path) {
  auto text = read_file(path, 1_MiB);
  demand(text.has_value());
  return *text;
}

void add_certificates(CMS_ContentInfo* cms, std::string const& text, bool skip_first) {
  auto const reader = trust::reader_of(text);
  while (trust::CertificatePtr certificate{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    if (!std::exchange(skip_first, false)) CMS_add1_cert(cms, certificate.get());  // may be there already
  }
  ERR_clear_error();
}

void add_signer(CMS_ContentInfo* cms, std::string const& name, Forgery const& forgery) {
  auto const& ca = TestCa::instance();
  auto const certificates = pem(ca.certificate(name)), key_text = pem(ca.key(name));
  trust::CertificatePtr const leaf{PEM_read_bio_X509(trust::reader_of(certificates).get(), nullptr, nullptr, nullptr)};
  trust::KeyPtr const key{PEM_read_bio_PrivateKey(trust::reader_of(key_text).get(), nullptr, nullptr, nullptr)};
  demand(CMS_add1_signer(cms, leaf.get(), key.get(), forgery.digest, forgery.flags | CMS_PARTIAL | CMS_BINARY));
  if (forgery.intermediates) add_certificates(cms, certificates, true);
}

}  // namespace

std::vector<std::uint8_t> make_cms(std::string_view body, Forgery const& forgery) {
  auto const flags = forgery.flags | CMS_BINARY | CMS_PARTIAL | CMS_DETACHED;
  trust::CmsPtr const cms{CMS_sign(nullptr, nullptr, nullptr, nullptr, flags)};
  add_signer(cms.get(), forgery.signer, forgery);
  if (!forgery.second_signer.empty()) add_signer(cms.get(), forgery.second_signer, forgery);
  auto const& directory = TestCa::instance().path();
  if (!forgery.extra_certificates.empty())
    add_certificates(cms.get(), pem(directory / forgery.extra_certificates), false);
  if (!forgery.crl.empty()) {
    auto const text = pem(directory / forgery.crl);
    std::unique_ptr<X509_CRL, trust::Deleter<X509_CRL_free>> const crl{
        PEM_read_bio_X509_CRL(trust::reader_of(text).get(), nullptr, nullptr, nullptr)};
    demand(CMS_add1_crl(cms.get(), crl.get()) == 1);
  }
  demand(CMS_final(cms.get(), trust::reader_of(body).get(), nullptr, flags) == 1);
  unsigned char* der = nullptr;
  auto const size = i2d_CMS_ContentInfo(cms.get(), &der);
  demand(size > 0);
  std::vector<std::uint8_t> bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace imageswarm::test
