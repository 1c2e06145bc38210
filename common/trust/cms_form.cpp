#include "common/trust/cms_form.hpp"

#include <openssl/asn1.h>

#include <optional>

namespace imageswarm::trust {
namespace {

constexpr std::string_view oid_signed_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
constexpr std::string_view oid_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

/// Identifier octets (X.690 §8.1.2) of the elements that we meet.
enum Tag : unsigned char {
  integer = 0x02,
  octets = 0x04,
  null = 0x05,
  oid = 0x06,
  sequence = 0x30,
  set = 0x31,
  key_identifier = 0x80,
  context0 = 0xA0,
  context1 = 0xA1
};

/// Reads the elements of a constructed value one by one; what does not fit makes all that follows fail.
class Elements {
public:
  explicit Elements(std::string_view content) : rest_{content} {}

  bool next_is(Tag tag) const { return !rest_.empty() && static_cast<unsigned char>(rest_.front()) == tag; }
  bool at_end() const { return good_ && rest_.empty(); }

  /// The content of the next element.
  std::string_view take(Tag tag) {
    auto const* at = reinterpret_cast<unsigned char const*>(rest_.data());
    long length = 0;
    int number = 0, tag_class = 0;
    // 0x80: no element; 1: indefinite length, which DER does not have.
    auto const flags =
        next_is(tag) ? ASN1_get_object(&at, &length, &number, &tag_class, static_cast<long>(rest_.size())) : 0x80;
    auto const header = static_cast<std::size_t>(at - reinterpret_cast<unsigned char const*>(rest_.data()));
    auto const shortest = ASN1_object_size(0, static_cast<int>(length), number);
    good_ =
        good_ && (flags & 0x81) == 0 && header + static_cast<std::size_t>(length) == static_cast<std::size_t>(shortest);
    if (!good_) return {};
    auto const content = rest_.substr(header, static_cast<std::size_t>(length));
    rest_.remove_prefix(header + content.size());
    return content;
  }

private:
  std::string_view rest_;
  bool good_ = true;
};

/// The OID of a digest's AlgorithmIdentifier; its parameters are absent or NULL (RFC 5754 §2).
std::string_view digest_oid(std::string_view algorithm) {
  Elements parts{algorithm};
  auto const name = parts.take(oid);
  bool const empty_null = !parts.next_is(null) || parts.take(null).empty();
  return parts.at_end() && empty_null ? name : std::string_view{};
}

struct Form {
  std::string_view version, digests, signer_infos;
  bool detached = false;
};

std::optional<Form> read_signed_data(std::string_view der) {
  Elements outer{der};
  Elements content_info{outer.take(sequence)};
  bool const right_type = content_info.take(oid) == oid_signed_data;
  Elements wrapped{content_info.take(context0)};
  Elements signed_data{wrapped.take(sequence)};
  Form form;
  form.version = signed_data.take(integer);
  form.digests = signed_data.take(set);
  Elements encapsulated{signed_data.take(sequence)};
  form.detached = encapsulated.take(oid) == oid_data && encapsulated.at_end();
  if (signed_data.next_is(context0)) signed_data.take(context0);  // certificates: the chain decides
  if (signed_data.next_is(context1)) signed_data.take(context1);  // CRLs: ignored, ours count
  form.signer_infos = signed_data.take(set);
  if (!right_type || !outer.at_end() || !content_info.at_end() || !wrapped.at_end() || !signed_data.at_end()) return {};
  return form;
}

}  // namespace

Result<std::string_view> check_cms_form(std::span<std::uint8_t const> der) {
  auto const form = read_signed_data({reinterpret_cast<char const*>(der.data()), der.size()});
  if (!form) return fail(Fault::sig_invalid, "the signature is not the DER of one CMS SignedData");
  if (!form->detached) return fail(Fault::sig_invalid, "the signature encloses content or is not over plain data");

  Elements signer_infos{form->signer_infos};
  Elements signer{signer_infos.take(sequence)};
  if (!signer_infos.at_end()) return fail(Fault::sig_invalid, "the signature does not have exactly one signer");
  auto const version = signer.take(integer);
  // RFC 5652 §5.1, §5.3: the version follows from how the signer's certificate is named.
  bool const by_issuer = signer.next_is(sequence);
  signer.take(by_issuer ? sequence : key_identifier);
  auto const digest = digest_oid(signer.take(sequence));
  if (!signer.next_is(context0)) return fail(Fault::sig_invalid, "the signature has no signed attributes");
  signer.take(context0);
  signer.take(sequence);
  signer.take(octets);
  if (signer.next_is(context1)) signer.take(context1);  // unsigned attributes: nobody reads them

  Elements announced{form->digests};
  auto const announced_digest = digest_oid(announced.take(sequence));
  std::string_view const right_version = by_issuer ? "\x01" : "\x03";
  if (!signer.at_end() || !announced.at_end() || digest.empty() || announced_digest != digest ||
      version != right_version || form->version != right_version) {
    return fail(Fault::sig_invalid, "the signature does not have the form of RFC 5652, section 5");
  }
  return form->signer_infos;
}

}  // namespace imageswarm::trust
