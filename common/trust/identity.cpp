#include "common/trust/identity.hpp"

#include <openssl/asn1.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace imageswarm::trust {
namespace {

struct AttributeType {
  std::string_view name;
  std::string_view oid;
};

/// The first name of an OID is the one that `text()` writes: OpenSSL's, so that its output can be pasted.
constexpr std::array attribute_types{
    AttributeType{"CN", "2.5.4.3"},
    AttributeType{"O", "2.5.4.10"},
    AttributeType{"OU", "2.5.4.11"},
    AttributeType{"C", "2.5.4.6"},
    AttributeType{"L", "2.5.4.7"},
    AttributeType{"ST", "2.5.4.8"},
    AttributeType{"S", "2.5.4.8"},
    AttributeType{"DC", "0.9.2342.19200300.100.1.25"},
    AttributeType{"UID", "0.9.2342.19200300.100.1.1"},
    AttributeType{"USERID", "0.9.2342.19200300.100.1.1"},
    AttributeType{"emailAddress", "1.2.840.113549.1.9.1"},
    AttributeType{"Email", "1.2.840.113549.1.9.1"},
    AttributeType{"E", "1.2.840.113549.1.9.1"},
    AttributeType{"SN", "2.5.4.4"},
    AttributeType{"GN", "2.5.4.42"},
    AttributeType{"serialNumber", "2.5.4.5"},
    AttributeType{"title", "2.5.4.12"},
    AttributeType{"street", "2.5.4.9"},
    AttributeType{"name", "2.5.4.41"},
    AttributeType{"initials", "2.5.4.43"},
    AttributeType{"description", "2.5.4.13"},
    AttributeType{"businessCategory", "2.5.4.15"},
    AttributeType{"postalCode", "2.5.4.17"},
    AttributeType{"generationQualifier", "2.5.4.44"},
    AttributeType{"dnQualifier", "2.5.4.46"},
    AttributeType{"pseudonym", "2.5.4.65"},
    AttributeType{"organizationIdentifier", "2.5.4.97"},
};

using Part = DistinguishedName::Part;

template <class... Args>
tl::unexpected<Error> bad(fmt::format_string<Args...> text, Args&&... args) {
  return fail(Fault::config_value, text, std::forward<Args>(args)...);
}

bool is_dotted_oid(std::string_view text) {
  auto const arcs = split(text, '.');
  return arcs.size() > 1 && std::ranges::all_of(arcs, [](std::string_view arc) {
           return !arc.empty() && (arc == "0" || arc.front() != '0') &&
                  std::ranges::all_of(arc, [](unsigned char c) { return std::isdigit(c) != 0; });
         });
}

Result<std::string> oid_of(std::string_view type) {
  auto const name = lower_case(type);
  for (auto const& known : attribute_types) {
    if (lower_case(known.name) == name) return std::string{known.oid};
  }
  auto const oid = name.starts_with("oid.") ? type.substr(4) : type;
  if (!is_dotted_oid(oid)) return bad("'{}' is no attribute type that is known here; write its dotted OID", type);
  return std::string{oid};
}

std::string_view name_of(std::string_view oid) {
  auto const known = std::ranges::find(attribute_types, oid, &AttributeType::oid);
  return known == attribute_types.end() ? oid : known->name;
}

std::string_view without_blanks_in_front(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

/// What stands behind a backslash: a special character, two hex digits or, as `openssl` writes slash forms, xHH.
Result<char> take_escaped(std::string_view& rest) {
  if (rest.empty()) return bad("nothing follows its last backslash");
  static constexpr std::string_view special = ",=+<>#;\\\"/ ";
  if (special.find(rest.front()) != special.npos) {
    char const literal = rest.front();
    rest.remove_prefix(1);
    return literal;
  }
  if (rest.front() == 'x') rest.remove_prefix(1);
  auto const byte = from_hex(lower_case(rest.substr(0, 2)));
  if (!byte || byte->empty()) return bad("a backslash must stand before a special character or two hex digits");
  rest.remove_prefix(2);
  return static_cast<char>(byte->front());
}

/// `#` and the DER of a string in hex, the form of values that have no text of their own.
Result<std::string> take_hex(std::string_view& rest) {
  auto const end = std::min(rest.find_first_of(",;"), rest.size());
  auto const der = from_hex(lower_case(trimmed(rest.substr(1, end - 1))));
  rest.remove_prefix(end);
  std::string value;
  if (der && !der->empty()) {
    auto const* at = der->data();
    ASN1_TYPE* type = d2i_ASN1_TYPE(nullptr, &at, static_cast<long>(der->size()));
    auto const kind = type ? ASN1_TYPE_get(type) : V_ASN1_EOC;
    unsigned char* utf8 = nullptr;
    constexpr unsigned long texts = B_ASN1_DIRECTORYSTRING | B_ASN1_IA5STRING;
    if (type && at == der->data() + der->size() && (ASN1_tag2bit(kind) & texts) != 0) {
      if (auto const size = ASN1_STRING_to_UTF8(&utf8, type->value.asn1_string); size > 0) {
        value.assign(reinterpret_cast<char const*>(utf8), static_cast<std::size_t>(size));
      }
    }
    OPENSSL_free(utf8);
    ASN1_TYPE_free(type);
  }
  if (value.empty()) return bad("a value behind '#' is not the DER of a text in hex");
  return value;
}

Result<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  rest.remove_prefix(1);
  while (!rest.empty()) {
    char const c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') {
      rest = without_blanks_in_front(rest);
      return value;
    }
    if (c != '\\') {
      value += c;
      continue;
    }
    auto const literal = take_escaped(rest);
    if (!literal) return fail(literal.error());
    value += *literal;
  }
  return bad("a quotation mark is not closed");
}

/// Up to a character of `ends` that is not escaped. `solid` is its length up to the last character that is no blank or
/// is escaped.
Result<std::string> take_plain(std::string_view& rest, std::string_view ends, std::string_view forbidden,
                               std::size_t& solid) {
  std::string value;
  while (!rest.empty() && ends.find(rest.front()) == ends.npos) {
    char const c = rest.front();
    rest.remove_prefix(1);
    if (c == '+') return bad("several values in one part are not accepted; write a plus sign as \\+");
    if (forbidden.find(c) != forbidden.npos) return bad("{} must be written as \\{}", c, c);
    auto const literal = c == '\\' ? take_escaped(rest) : Result<char>{c};
    if (!literal) return fail(literal.error());
    value += *literal;
    if (c != ' ') solid = value.size();
  }
  return value;
}

/// A value of RFC 2253 §2.4: blanks around it do not count unless they are escaped.
Result<std::string> take_rfc2253_value(std::string_view& rest) {
  rest = without_blanks_in_front(rest);
  if (rest.starts_with('#')) return take_hex(rest);
  if (rest.starts_with('"')) return take_quoted(rest);
  std::size_t solid = 0;
  auto value = take_plain(rest, ",;", "<>\"", solid);
  if (value) value->resize(solid);
  return value;
}

/// A value of the slash form: every blank counts.
Result<std::string> take_slash_value(std::string_view& rest) {
  std::size_t solid = 0;
  return take_plain(rest, "/", "", solid);
}

Result<Part> take_part(std::string_view& rest, Result<std::string> (*take_value)(std::string_view&)) {
  auto const equals = rest.find('=');
  if (equals == rest.npos) return bad("'{}' lacks its '='; in the slash form a / in a value is written \\/", rest);
  auto oid = oid_of(trimmed(rest.substr(0, equals)));
  if (!oid) return fail(oid.error());
  rest.remove_prefix(equals + 1);
  auto value = take_value(rest);
  if (!value) return fail(value.error());
  if (value->empty()) return bad("{} has no value", name_of(*oid));
  if (value->find('\0') != value->npos || !is_utf8(*value)) return bad("{} is not UTF-8 text", name_of(*oid));
  return Part{std::move(*oid), std::move(*value)};
}

/// Separators stand in front of every part in the slash form, between the parts in RFC 2253, whose order is reversed.
Result<std::vector<Part>> parts_of(std::string_view text) {
  bool const slash = text.starts_with('/');
  if (slash) text.remove_prefix(1);
  std::vector<Part> parts;
  for (;;) {
    auto part = take_part(text, slash ? take_slash_value : take_rfc2253_value);
    if (!part) return fail(std::move(part.error()));
    parts.push_back(std::move(*part));
    if (text.empty()) break;
    if (!slash && text.front() != ',' && text.front() != ';') return bad("something follows a closing quotation mark");
    text.remove_prefix(1);
  }
  if (!slash) std::ranges::reverse(parts);
  return parts;
}

/// `value` so that `take_rfc2253_value` reads it back, on one line whatever it holds.
std::string escaped(std::string_view value) {
  static constexpr std::string_view special = ",+\"\\<>;";
  std::string text;
  for (std::size_t i = 0; i < value.size();) {
    auto const character = value.substr(i, std::max<std::size_t>(utf8_length(value.substr(i)), 1));
    bool const at_edge = i == 0 || i + 1 == value.size();
    i += character.size();
    if (is_hidden(character)) {
      for (auto const c : character) text += fmt::format("\\{:02X}", static_cast<unsigned char>(c));
      continue;
    }
    auto const c = character.front();
    if (special.find(c) != special.npos || (c == ' ' && at_edge) || (c == '#' && text.empty())) text += '\\';
    text += character;
  }
  return text;
}

}  // namespace

Result<DistinguishedName> DistinguishedName::parse(std::string_view text) {
  auto parts = parts_of(text);
  if (!parts) return fail(std::move(parts.error()).in(fmt::format("distinguished name '{}'", printable(text))));
  return DistinguishedName{std::move(*parts)};
}

std::string DistinguishedName::text() const {
  std::string text;
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}={}", name_of(part->oid), escaped(part->value));
  }
  return text;
}

}  // namespace imageswarm::trust
