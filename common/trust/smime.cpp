#include "common/trust/smime.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/text.hpp"
#include "common/document/model.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/openssl.hpp"

namespace imageswarm::trust {
namespace {

constexpr std::size_t columns = 64;

/// The next line without its end, which is LF or CRLF.
std::string_view take_line(std::string_view& rest) {
  auto const end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Header fields by their name in lower case.
using Headers = std::map<std::string, std::string>;

/// Up to the empty line; what follows remains in `rest`. Two fields that say what the content is would be two readings.
Result<Headers> take_headers(std::string_view& rest) {
  Headers headers;
  auto last = headers.end();
  while (!rest.empty()) {
    auto const line = take_line(rest);
    if (line.empty()) return headers;
    bool const continues = line.starts_with(' ') || line.starts_with('\t');
    if (continues && last != headers.end()) {
      last->second += line;
      continue;
    }
    auto const colon = line.find(':');
    if (colon == line.npos || continues) break;
    auto name = lower_case(trimmed(line.substr(0, colon)));
    if (headers.contains(name) && name.starts_with("content-")) {
      return fail(Fault::sig_invalid, "the S/MIME message has the header field {} twice", printable(name));
    }
    last = headers.insert_or_assign(std::move(name), std::string{trimmed(line.substr(colon + 1))}).first;
  }
  return fail(Fault::sig_missing, "it is no S/MIME message: no header of one stands at its beginning");
}

/// The value of a Content-Type field (RFC 2045 §5.1).
struct MediaType {
  std::string name;                               ///< in lower case, as the names of the parameters
  std::map<std::string, std::string> parameters;  ///< the first of equal names counts
};

MediaType media_type_of(Headers const& headers) {
  auto const field = headers.find("content-type");
  if (field == headers.end()) return {};
  std::string_view rest = field->second;
  auto const take = [&rest](char end) {
    auto const at = std::min(rest.find(end), rest.size());
    auto const taken = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return taken;
  };
  MediaType type{lower_case(trimmed(take(';'))), {}};
  while (!rest.empty()) {
    auto name = lower_case(trimmed(take('=')));
    bool const quoted = rest.starts_with('"');
    if (quoted) rest.remove_prefix(1);
    type.parameters.emplace(std::move(name), quoted ? take('"') : trimmed(take(';')));
    if (quoted) take(';');
  }
  return type;
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// The two parts between three boundary lines; the line end before a boundary belongs to the boundary. A line that
/// merely begins like one would be a boundary to other readers, so it is refused.
Result<std::vector<std::string_view>> split_parts(std::string_view body, std::string const& boundary) {
  auto const delimiter = "--" + boundary;
  std::vector<std::string_view> parts;
  auto begin = body.npos;
  for (auto rest = body; !rest.empty();) {
    auto const at = body.size() - rest.size();
    auto const line = take_line(rest);
    if (!line.starts_with(delimiter)) continue;
    auto const tail = trimmed(line.substr(delimiter.size()));
    bool const closing = tail == "--";
    if (!closing && !tail.empty()) return fail(Fault::sig_invalid, "a line begins like the boundary but is none");
    if (begin != body.npos) parts.push_back(without_line_end(body.substr(begin, at - begin)));
    begin = body.size() - rest.size();
    if (!closing) continue;
    if (parts.size() == 2) return parts;
    return fail(Fault::sig_invalid, "the S/MIME message has {} parts instead of a text and its signature",
                parts.size());
  }
  return fail(Fault::sig_invalid, "the S/MIME message ends before its closing boundary");
}

Result<std::vector<std::uint8_t>> decode_base64(Headers const& headers, std::string_view body) {
  auto const encoding = headers.find("content-transfer-encoding");
  std::string base64{body};
  std::erase_if(base64, [](char c) { return c == '\n' || c == '\r'; });
  auto der = from_base64(base64);
  if (encoding == headers.end() || lower_case(encoding->second) != "base64" || !der || der->empty()) {
    return fail(Fault::sig_invalid, "the signature of the S/MIME message is not base64");
  }
  return std::move(*der);
}

bool is_pkcs7(std::string_view media_type, std::string_view what) {
  return media_type == fmt::format("application/pkcs7-{}", what) ||
         media_type == fmt::format("application/x-pkcs7-{}", what);
}

/// A text and the detached signature that shall fit it.
struct Claim {
  std::string text;
  std::vector<std::uint8_t> signature;
};

Result<Claim> open_clear_signed(std::string_view body, MediaType const& type) {
  auto const boundary = type.parameters.find("boundary");
  if (boundary == type.parameters.end() || boundary->second.empty() || boundary->second.size() > 70) {
    return fail(Fault::sig_invalid, "the S/MIME message names no boundary");
  }
  auto const parts = split_parts(body, boundary->second);
  if (!parts) return fail(parts.error());
  auto signature = (*parts)[1];
  auto const headers = take_headers(signature);
  if (!headers || !is_pkcs7(media_type_of(*headers).name, "signature")) {
    return fail(Fault::sig_invalid, "the second part of the S/MIME message is not a signature");
  }
  auto der = decode_base64(*headers, signature);
  if (!der) return fail(der.error());
  return Claim{with_crlf((*parts)[0]), std::move(*der)};
}

/// Takes the content out of an opaque message, so that it is judged as a detached signature like every other.
Result<Claim> open_opaque(Headers const& headers, std::string_view body) {
  auto const der = decode_base64(headers, body);
  if (!der) return fail(der.error());
  ERR_clear_error();
  auto const* at = der->data();
  CmsPtr const cms{d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der->size()))};
  if (!cms || at != der->data() + der->size()) {
    return fail(Fault::sig_invalid, "the S/MIME message is not CMS: {}", openssl_errors());
  }
  auto* const* content = CMS_get0_content(cms.get());
  if (!content || !*content) return fail(Fault::sig_invalid, "the S/MIME message encloses no content");
  Claim claim{{reinterpret_cast<char const*>(ASN1_STRING_get0_data(*content)),
               static_cast<std::size_t>(ASN1_STRING_length(*content))},
              {}};
  unsigned char* detached = nullptr;
  auto const size = CMS_set_detached(cms.get(), 1) == 1 ? i2d_CMS_ContentInfo(cms.get(), &detached) : -1;
  if (size > 0) claim.signature.assign(detached, detached + size);
  OPENSSL_free(detached);
  return claim;
}

Result<Claim> open_message(std::string_view message) {
  auto const headers = take_headers(message);
  if (!headers) return fail(headers.error());
  auto const type = media_type_of(*headers);
  if (type.name == "multipart/signed") return open_clear_signed(message, type);
  if (is_pkcs7(type.name, "mime")) return open_opaque(*headers, message);
  return fail(Fault::sig_missing, "it is no signed S/MIME message but '{}'", printable(type.name));
}

}  // namespace

Result<SignedText> verify_smime(std::string_view message, AnchorPolicy const& anchors, TimePoint now) {
  if (message.size() > document::max_document_size.value) {
    return fail(Fault::too_large, "the S/MIME message is larger than {}", human(document::max_document_size));
  }
  auto claim = open_message(message);
  if (!claim) return fail(std::move(claim.error()));
  if (claim->signature.size() > max_signature_block.value) {
    return fail(Fault::sig_invalid, "the signature is larger than {}", human(max_signature_block));
  }
  auto signature = verify_signature(claim->text, claim->signature, anchors, now);
  if (!signature) return fail(std::move(signature.error()));
  return SignedText{std::move(claim->text), std::move(*signature)};
}

std::string with_crlf(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 16);
  for (char const c : text) {
    if (c == '\n' && !result.ends_with('\r')) result += '\r';
    result += c;
  }
  return result;
}

std::string write_smime(std::string_view text, std::span<std::byte const> der, std::string_view micalg) {
  auto const boundary = "----" + digest_of<Sha256>(text).hex().substr(0, 32);
  auto message = fmt::format(
      "MIME-Version: 1.0\n"
      "Content-Type: multipart/signed; protocol=\"application/x-pkcs7-signature\"; micalg=\"{0}\"; boundary=\"{1}\"\n\n"
      "This is an S/MIME signed message\n\n"
      "--{1}\n{2}\n--{1}\n"
      "Content-Type: application/x-pkcs7-signature; name=\"smime.p7s\"\n"
      "Content-Transfer-Encoding: base64\n"
      "Content-Disposition: attachment; filename=\"smime.p7s\"\n\n",
      micalg, boundary, text);
  auto const base64 = to_base64(der);
  for (std::size_t at = 0; at < base64.size(); at += columns) {
    message += fmt::format("{}\n", std::string_view{base64}.substr(at, columns));
  }
  return message + fmt::format("\n--{}--\n\n", boundary);
}

}  // namespace imageswarm::trust
