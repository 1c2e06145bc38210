#include "common/trust/swarm_ca.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/trust/openssl.hpp"

namespace imageswarm::trust {
namespace {

using VerificationPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

std::string pem_of(X509* certificate) {
  BioPtr const text{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(text.get(), certificate);
  char* data = nullptr;
  auto const size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<CertificatePtr> only_certificate(std::string_view pem) {
  if (pem.size() > max_swarm_ca_size.value) {
    return fail(Fault::certificate_unreadable, "the swarm's CA has {} bytes, more than {}", pem.size(),
                human(max_swarm_ca_size));
  }
  auto const reader = reader_of(pem);
  CertificatePtr first{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)};
  CertificatePtr const second{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)};
  ERR_clear_error();  // the last try always fails
  if (!first) return fail(Fault::certificate_unreadable, "the swarm's CA is not a certificate in PEM");
  if (second) return fail(Fault::certificate_unreadable, "the swarm has one CA, and this is more than one certificate");
  return first;
}

/// Issued by this CA without anybody between, and in its time.
Result<> check_issued(X509* authority, X509& certificate, TimePoint now) {
  StorePtr const store{X509_STORE_new()};
  VerificationPtr const verification{X509_STORE_CTX_new()};
  X509_STORE_add_cert(store.get(), authority);
  X509_STORE_CTX_init(verification.get(), store.get(), &certificate, nullptr);
  auto* rules = X509_STORE_CTX_get0_param(verification.get());
  X509_VERIFY_PARAM_set_time(rules, now.time_since_epoch().count());
  X509_VERIFY_PARAM_set_auth_level(rules, 2);  // RSA of 2048 bits, SHA-256
  bool const good = X509_verify_cert(verification.get()) == 1;
  ERR_clear_error();
  if (good) return {};
  return fail(Fault::swarm_error, "{}", X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get())));
}

bool has_name(X509& certificate, std::string_view wanted) {
  NamesPtr const names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto const* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    std::string_view const text{reinterpret_cast<char const*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))};
    if (text == wanted || text == "*") return true;
  }
  return false;
}

}  // namespace

Result<SwarmCa> SwarmCa::read(std::string_view pem) {
  auto certificate = only_certificate(pem);
  if (!certificate) return fail(std::move(certificate.error()));
  auto* const x509 = certificate->get();
  SwarmCa ca;
  ca.name_ = describe(X509_get_subject_name(x509));
  if (X509_check_ca(x509) != 1) return fail(Fault::cert_purpose, "{} is not a CA", ca.name_);
  if (X509_self_signed(x509, 1) != 1) {
    ERR_clear_error();
    return fail(Fault::cert_purpose, "{} is not self-signed, so nothing could be verified up to it", ca.name_);
  }
  if (auto good = check_key(*x509); !good) return fail(std::move(good.error()).in(ca.name_));
  ca.pem_ = pem_of(x509);
  ca.certificate_ = {certificate->release(), X509_free};
  return ca;
}

Result<> SwarmCa::check_time(TimePoint now) const {
  auto time = static_cast<std::time_t>(now.time_since_epoch().count());
  if (X509_cmp_time(X509_get0_notAfter(certificate_.get()), &time) < 0) {
    return fail(Fault::cert_expired, "the swarm's CA {} has expired", name_);
  }
  if (X509_cmp_time(X509_get0_notBefore(certificate_.get()), &time) > 0) {
    return fail(Fault::cert_not_yet_valid, "the swarm's CA {} is not valid yet", name_);
  }
  return {};
}

Result<> SwarmCa::admits(x509_st& certificate, std::string_view image_id, TimePoint now) const {
  auto const refuse = [&](std::string_view why) {
    return fail(Fault::swarm_error, "the certificate of {} {}", describe(X509_get_subject_name(&certificate)), why);
  };
  if (auto issued = check_issued(certificate_.get(), certificate, now); !issued) {
    return refuse(fmt::format("is not good under the swarm's CA {}: {}", name_, issued.error().what));
  }
  for (int const purpose : {X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER}) {
    if (X509_check_purpose(&certificate, purpose, 0) == 1) continue;
    return refuse("does not serve both ends of a connection: its extendedKeyUsage must be absent or name both");
  }
  if (!has_name(certificate, image_id)) return refuse("names neither this image's ID nor \"*\" as a DNS name");
  return {};
}

}  // namespace imageswarm::trust
