#include "common/trust/signature.hpp"

#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>

#include "common/trust/anchors.hpp"
#include "common/trust/cms_form.hpp"
#include "common/trust/namespaces.hpp"
#include "common/trust/openssl.hpp"

namespace imageswarm::trust {
namespace {

/// Does what was decoded encode to the same bytes? The decoder overlooks wrong tags, and signed attributes are encoded
/// afresh before their signature is checked. The enclosed certificates are left out: not everybody sorts them.
bool is_canonical(CMS_ContentInfo* cms, std::string_view signer_infos) {
  unsigned char* encoded = nullptr;
  auto const size = i2d_CMS_ContentInfo(cms, &encoded);
  auto const again = check_cms_form({encoded, static_cast<std::size_t>(std::max(size, 0))});
  bool const same = again && *again == signer_infos;
  OPENSSL_free(encoded);
  return same;
}

Result<CmsPtr> decode(std::span<std::uint8_t const> der) {
  auto const form = check_cms_form(der);
  if (!form) return fail(form.error());
  auto const* at = der.data();
  CmsPtr cms{d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size()))};
  if (!cms) return fail(Fault::sig_invalid, "the signature is not CMS: {}", openssl_errors());
  if (at != der.data() + der.size()) return fail(Fault::sig_invalid, "something follows the signature");
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed ||
      OBJ_obj2nid(CMS_get0_eContentType(cms.get())) != NID_pkcs7_data || CMS_is_detached(cms.get()) != 1) {
    return fail(Fault::sig_invalid, "the signature is not a detached SignedData over plain data");
  }
  if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms.get())) != 1) {
    return fail(Fault::sig_invalid, "the signature does not have exactly one signer");
  }
  if (!is_canonical(cms.get(), *form)) {
    return fail(Fault::sig_invalid, "the signature is not written in DER");
  }
  return cms;
}

/// The allow-list of algorithms. OpenSSL's security level covers certificates alone: MD5 and SHA-1 messages would pass.
/// And it does not read the digest that the signature's algorithm names, so the two must agree here.
Result<> check_algorithms(CMS_SignerInfo* info) {
  X509_ALGOR *digest = nullptr, *signature = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest, &signature);
  auto const digest_id = OBJ_obj2nid(digest->algorithm);
  if (digest_id != NID_sha256 && digest_id != NID_sha384 && digest_id != NID_sha512) {
    auto const* name = OBJ_nid2ln(digest_id);
    return fail(Fault::alg_weak, "the document's digest is {}; SHA-256, SHA-384 and SHA-512 are accepted",
                name ? name : "unknown");
  }
  int parameters = V_ASN1_UNDEF;
  ASN1_OBJECT const* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, &parameters, nullptr, signature);
  auto const id = OBJ_obj2nid(algorithm);
  if (id == NID_rsassaPss) return {};  // OpenSSL compares the digest in its parameters
  int signed_digest = NID_undef, key = NID_undef;
  bool const agrees =
      id == NID_rsaEncryption || (OBJ_find_sigid_algs(id, &signed_digest, &key) == 1 && signed_digest == digest_id &&
                                  (key == NID_rsaEncryption || key == NID_X9_62_id_ecPublicKey));
  if (!agrees || (parameters != V_ASN1_UNDEF && parameters != V_ASN1_NULL)) {
    return fail(Fault::sig_invalid, "the signature's algorithm does not fit its digest");
  }
  return {};
}

/// The one value of the one attribute of this kind, or null.
ASN1_TYPE const* only_attribute(CMS_SignerInfo const* info, int nid) {
  auto const at = CMS_signed_get_attr_by_NID(info, nid, -1);
  if (at < 0 || CMS_signed_get_attr_by_NID(info, nid, at) >= 0) return nullptr;
  auto* attribute = CMS_signed_get_attr(info, at);
  return X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(attribute, 0) : nullptr;
}

/// Content type, digest and signing time must be among what is signed: without signed attributes, the attributes of
/// one signature could be passed off as the content of another. Gives the signing time.
Result<TimePoint> check_attributes(CMS_SignerInfo const* info) {
  auto const* type = only_attribute(info, NID_pkcs9_contentType);
  auto const* digest = only_attribute(info, NID_pkcs9_messageDigest);
  auto const* time = only_attribute(info, NID_pkcs9_signingTime);
  if (!type || ASN1_TYPE_get(type) != V_ASN1_OBJECT || OBJ_obj2nid(type->value.object) != NID_pkcs7_data || !digest ||
      ASN1_TYPE_get(digest) != V_ASN1_OCTET_STRING || !time ||
      (ASN1_TYPE_get(time) != V_ASN1_UTCTIME && ASN1_TYPE_get(time) != V_ASN1_GENERALIZEDTIME)) {
    return fail(Fault::sig_invalid, "the signed attributes lack content type, digest or signing time");
  }
  return time_of(time->value.asn1_string);
}

std::string_view der_of(X509_NAME const* name) {
  unsigned char const* der = nullptr;
  std::size_t size = 0;
  X509_NAME_get0_der(name, &der, &size);
  return {reinterpret_cast<char const*>(der), size};
}

/// The certificate that the signature itself names. Never the first of the bag: that is an unsigned set.
/// OpenSSL folds case and blanks when it looks for the issuer's name; we do not.
X509 const* certificate_of_signer(CMS_ContentInfo* cms, CMS_SignerInfo* info) {
  auto* signers = CMS_get0_signers(cms);
  auto const* certificate = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : nullptr;
  sk_X509_free(signers);
  X509_NAME* issuer = nullptr;
  CMS_SignerInfo_get0_signer_id(info, nullptr, &issuer, nullptr);
  bool const exact = certificate && (!issuer || der_of(issuer) == der_of(X509_get_issuer_name(certificate)));
  return exact ? certificate : nullptr;
}

}  // namespace

Result<Signature> verify_signature(std::string_view body, std::span<std::uint8_t const> der,
                                   AnchorPolicy const& anchors, TimePoint now) {
  ERR_clear_error();
  auto const cms = decode(der);
  if (!cms) return fail(cms.error());
  auto* info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms->get()), 0);
  if (auto const algorithms = check_algorithms(info); !algorithms) return fail(algorithms.error());
  auto const signing_time = check_attributes(info);
  if (!signing_time) return fail(signing_time.error());
  auto const store = AnchorStore::open(anchors, now);
  if (!store) return fail(store.error());

  // CMS_NOCRL: else a revoked signer encloses an older CRL that is still in date, and OpenSSL prefers it to ours.
  auto const content = reader_of(body);
  if (CMS_verify(cms->get(), nullptr, store->get(), content.get(), nullptr, CMS_BINARY | CMS_NOCRL) != 1) {
    auto const reasons = openssl_errors();
    if (store->problem()) return fail(*store->problem());
    return fail(Fault::sig_invalid, "the signature does not fit the document: {}", reasons);
  }
  auto const* certificate = certificate_of_signer(cms->get(), info);
  if (!certificate) return fail(Fault::sig_invalid, "the signature does not name its signer");
  if (auto const key = check_key(*certificate); !key) return fail(Error{key.error()}.in("the signer has"));
  auto signer = signer_of(*certificate);
  if (!signer) return fail(std::move(signer.error()));
  auto const& chain = store->chain();
  if (chain.empty() || X509_cmp(chain.front().get(), certificate) != 0) {
    return fail(Fault::internal, "the chain that was verified is not the signer's");
  }
  if (auto const permitted = check_namespaces(chain, anchors); !permitted) return fail(permitted.error());
  return Signature{std::move(*signer), *signing_time};
}

}  // namespace imageswarm::trust
