#include "common/trust/sign.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/openssl.hpp"
#include "common/trust/smime.hpp"
#include "common/trust/token.hpp"

namespace imageswarm::trust {

struct SigningIdentity::Impl {
  CertificatePtr certificate;
  std::vector<CertificatePtr> intermediates;
  std::shared_ptr<void> session;  ///< with the token of the key, if it is in one; outlives the key
  KeyPtr key;
  Signer signer;

  /// DER, with the signer's certificate and its intermediates.
  Result<std::vector<std::uint8_t>> detached_signature(std::string_view body) const;
};

namespace {

constexpr ByteCount max_pem_file = 1_MiB;
/// What hosts demand of every signature in a chain, in bits (anchors.cpp): SHA-1 gives 63.
constexpr int least_security = 112;

Result<std::vector<CertificatePtr>> load_certificates(std::string const& path) {
  std::vector<CertificatePtr> certificates;
  if (is_token_uri(path)) {
    auto certificate = load_token_certificate(path);
    if (!certificate) return fail(std::move(certificate.error()));
    certificates.push_back(std::move(*certificate));
    return certificates;
  }
  auto const pem = read_file(path, max_pem_file);
  if (!pem) return fail(Fault::certificate_unreadable, "{}", pem.error().what);
  auto const reader = reader_of(*pem);
  while (auto* certificate = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // What ends a good file is that no further PEM block begins.
  bool const at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  auto const reasons = openssl_errors();
  if (certificates.empty() || !at_end) {
    return fail(Fault::certificate_unreadable, "reading {}: {}", printable(path), reasons);
  }
  return certificates;
}

Result<PrivateKey> load_key(std::string const& path) {
  if (is_token_uri(path)) return load_token_key(path);
  auto pem = read_file(path, max_pem_file);
  if (!pem) return fail(Fault::key_unreadable, "{}", pem.error().what);
  // Without a callback OpenSSL asks for the passphrase of an encrypted key on the terminal.
  KeyPtr key{PEM_read_bio_PrivateKey(reader_of(*pem).get(), nullptr, nullptr, nullptr)};
  OPENSSL_cleanse(pem->data(), pem->size());
  auto const reasons = openssl_errors();
  if (!key) return fail(Fault::key_unreadable, "reading {}: {}", printable(path), reasons);
  return PrivateKey{{}, std::move(key)};
}

bool is_self_signed(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
}

/// What hosts will refuse of any certificate of the chain is refused before anything is signed with it.
Result<> check_certificate(X509* certificate, TimePoint now) {
  auto const about = describe(X509_get_subject_name(certificate));
  std::time_t const time = now.time_since_epoch().count();
  std::time_t when = time;
  if (X509_cmp_time(X509_get0_notAfter(certificate), &when) <= 0) {
    return fail(Fault::cert_expired, "certificate {} has expired", about);
  }
  when = time;
  if (X509_cmp_time(X509_get0_notBefore(certificate), &when) > 0) {
    return fail(Fault::cert_not_yet_valid, "certificate {} is not yet valid", about);
  }
  int security = 0;
  if (X509_get_signature_info(certificate, nullptr, nullptr, &security, nullptr) != 1 || security < least_security) {
    return fail(Fault::alg_weak, "certificate {} is signed with a weak digest", about);
  }
  return {};
}

/// The purpose that OpenSSL demands of the signer of a CMS message.
Result<> check_leaf(X509* leaf) {
  auto const about = fmt::format("certificate {}", describe(X509_get_subject_name(leaf)));
  if (auto const key = check_key(*leaf); !key) return fail(Error{key.error()}.in(about));
  bool const proxy = (X509_get_extension_flags(leaf) & EXFLAG_PROXY) != 0;
  if (proxy || X509_check_purpose(leaf, X509_PURPOSE_SMIME_SIGN, 0) < 1) {
    return fail(Fault::cert_purpose, "{} is not for signing: {}", about,
                proxy ? "it is a proxy"
                      : "it needs the key usage digitalSignature, and emailProtection if it limits its "
                        "extended use");
  }
  return {};
}

EVP_MD const* digest_for(EVP_PKEY const* key) {
  return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

}  // namespace

SigningIdentity::SigningIdentity(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
SigningIdentity::SigningIdentity(SigningIdentity&&) noexcept = default;
SigningIdentity& SigningIdentity::operator=(SigningIdentity&&) noexcept = default;
SigningIdentity::~SigningIdentity() = default;

Signer const& SigningIdentity::signer() const {
  return impl_->signer;
}

Result<SigningIdentity> SigningIdentity::load(std::string const& certificate, std::string const& key, TimePoint now) {
  ERR_clear_error();
  auto chain = load_certificates(certificate);
  if (!chain) return fail(std::move(chain.error()));
  auto* leaf = chain->front().get();
  for (auto const& each : *chain) {
    if (is_self_signed(each.get()) && each.get() != leaf) continue;
    if (auto const good = check_certificate(each.get(), now); !good) return fail(good.error());
  }
  if (auto const good = check_leaf(leaf); !good) return fail(good.error());
  auto signer = signer_of(*leaf);
  if (!signer) return fail(std::move(signer.error()));
  auto private_key = load_key(key);
  if (!private_key) return fail(std::move(private_key.error()));
  if (X509_check_private_key(leaf, private_key->key.get()) != 1) {
    ERR_clear_error();
    return fail(Fault::key_mismatch, "the key {} does not belong to the certificate {}", shown_token_uri(key),
                shown_token_uri(certificate));
  }
  auto impl = std::make_unique<Impl>(Impl{
      std::move(chain->front()), {}, std::move(private_key->session), std::move(private_key->key), std::move(*signer)});
  for (auto each = chain->begin() + 1; each != chain->end(); ++each) {
    if (!is_self_signed(each->get())) impl->intermediates.push_back(std::move(*each));
  }
  return SigningIdentity{std::move(impl)};
}

Result<std::vector<std::uint8_t>> SigningIdentity::Impl::detached_signature(std::string_view body) const {
  ERR_clear_error();
  // SMIMECapabilities would say which ciphers we read; nobody writes to us.
  constexpr unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_NOSMIMECAP;
  CmsPtr const cms{CMS_sign(nullptr, nullptr, nullptr, nullptr, flags)};
  auto* leaf = certificate.get();
  bool good = cms && CMS_add1_signer(cms.get(), leaf, key.get(), digest_for(key.get()), flags) != nullptr;
  for (auto const& each : intermediates) good = good && CMS_add1_cert(cms.get(), each.get()) == 1;
  auto const content = reader_of(body);
  good = good && CMS_final(cms.get(), content.get(), nullptr, flags) == 1;
  unsigned char* der = nullptr;
  auto const size = good ? i2d_CMS_ContentInfo(cms.get(), &der) : -1;
  if (size <= 0) return fail(Fault::key_unreadable, "signing: {}", openssl_errors());
  std::vector<std::uint8_t> const signature(der, der + size);
  OPENSSL_free(der);
  return signature;
}

Result<std::string> SigningIdentity::sign(std::string_view body) const {
  auto const signature = impl_->detached_signature(body);
  if (!signature) return fail(signature.error());
  return seal_envelope(body, std::as_bytes(std::span{*signature}));
}

Result<std::string> SigningIdentity::sign_smime(std::string_view text) const {
  auto const signature = impl_->detached_signature(with_crlf(text));
  if (!signature) return fail(signature.error());
  auto const* micalg = EVP_MD_is_a(digest_for(impl_->key.get()), "SHA384") ? "sha-384" : "sha-256";
  return write_smime(text, std::as_bytes(std::span{*signature}), micalg);
}

}  // namespace imageswarm::trust
