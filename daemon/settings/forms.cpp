#include "daemon/settings/forms.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace imageswarm::settings {
namespace {

/// The 4 or 16 bytes of an address; none if it is not one.
std::vector<std::uint8_t> address_bytes(std::string const& text) {
  std::vector<std::uint8_t> bytes(16);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(4);
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return {};
}

/// "[::1]:80" or "host:80" as host and port.
std::optional<std::pair<std::string, std::string>> host_port(std::string_view text) {
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos || !parse_number(text.substr(colon + 1), 1, 65535)) return std::nullopt;
  auto host = text.substr(0, colon);
  bool const brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  // Only an IPv6 address has colons, and only in brackets.
  if (host.empty() || brackets != (host.find(':') != std::string_view::npos)) return std::nullopt;
  return std::pair{std::string{host}, std::string{text.substr(colon + 1)}};
}

bool is_host_name(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; });
}

bool has_bits_beyond(std::span<std::uint8_t const> bytes, std::uint64_t prefix) {
  for (std::uint64_t bit = prefix; bit < bytes.size() * 8; ++bit) {
    if (bytes[bit / 8] & (0x80u >> bit % 8)) return true;
  }
  return false;
}

Result<trust::SignerPattern> pinned_signer(yaml::Value const& value) {
  trust::SignerPattern pattern;
  bool named = false;
  for (auto const& member : value.map()) {
    bool const subject = member.key == "subject";
    if (!subject && member.key != "issuer") {
      return fail(Fault::config_value, "a signer has no key '{}'; known: subject, issuer", printable(member.key));
    }
    if (!member.value.is_text()) return fail(Fault::config_value, "{}: a single value is expected", member.key);
    auto name = trust::DistinguishedName::parse(member.value.text());
    if (!name) return fail(std::move(name.error()));
    if (subject) {
      pattern.subject = std::move(*name);
      named = true;
    } else {
      pattern.issuer = std::move(*name);
    }
  }
  if (!named) return fail(Fault::config_value, "the signer's subject is missing");
  return pattern;
}

}  // namespace

Result<std::string> source_url(std::string_view text) {
  bool const visible = std::ranges::all_of(text, [](char c) { return c > 0x20 && c != 0x7F; });
  bool const remote = text.starts_with("http://") || text.starts_with("https://");
  bool const local = text.starts_with('/') || text.starts_with("file:///");
  auto const host = remote ? text.substr(text.find("//") + 2) : "x";
  if (visible && (local || (remote && !host.empty() && !host.starts_with('/')))) return std::string{text};
  return fail(Fault::config_value, "'{}' is not an http or https URL, file:///PATH or an absolute path",
              printable(text));
}

Result<std::string> listen_address(std::string_view text) {
  auto const parts = host_port(text);
  if (parts && !address_bytes(parts->first).empty()) return std::string{text};
  return fail(Fault::config_value, "'{}' is not ADDRESS:PORT; write for example 0.0.0.0:6881 or [::]:6881",
              printable(text));
}

Result<std::string> host_and_port(std::string_view text) {
  auto const parts = host_port(text);
  if (parts && (!address_bytes(parts->first).empty() || is_host_name(parts->first))) return std::string{text};
  return fail(Fault::config_value, "'{}' is not HOST:PORT", printable(text));
}

Result<std::string> network(std::string_view text) {
  auto const slash = text.find('/');
  auto const bytes = address_bytes(std::string{text.substr(0, slash)});
  auto const bits = bytes.size() * 8;
  auto const prefix =
      slash == std::string_view::npos ? Result<std::uint64_t>{bits} : parse_number(text.substr(slash + 1), 0, bits);
  if (bytes.empty() || !prefix) {
    return fail(Fault::config_value, "'{}' is not a network; write for example 10.0.0.0/8", printable(text));
  }
  if (has_bits_beyond(bytes, *prefix)) {
    return fail(Fault::config_value, "'{}' is an address inside a network; write the network's own", text);
  }
  return std::string{text};
}

Result<std::optional<unsigned>> copies(std::string_view text) {
  if (text == "unlimited") return std::optional<unsigned>{};
  if (auto const number = parse_number(text, 1, 1000)) return std::optional{static_cast<unsigned>(*number)};
  return fail(Fault::config_value, "'{}' is neither unlimited nor a number from 1 to 1000", printable(text));
}

Result<std::string> project_id(std::string_view text) {
  static constexpr auto allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  bool const good = !text.empty() && text.size() <= 64 && text.find_first_not_of(allowed) == std::string_view::npos;
  if (good) return std::string{text};
  return fail(Fault::config_value, "'{}' is not the ID of a project", printable(text));
}

Result<std::string> tag(std::string_view text) {
  bool const good = !text.empty() && text.size() <= 255 && text.find(',') == std::string_view::npos;
  if (good) return std::string{text};
  return fail(Fault::config_value, "'{}' is not a tag of 1 to 255 bytes without a comma", printable(text));
}

Result<unsigned> percent(std::string_view text) {
  auto const number = text.ends_with('%') ? parse_number(text.substr(0, text.size() - 1), 0, 100)
                                          : Result<std::uint64_t>{fail(Fault::config_value, "no percent sign")};
  if (number) return static_cast<unsigned>(*number);
  return fail(Fault::config_value, "'{}' is not a percentage from 0% to 100%", printable(text));
}

Result<flow::EventKind> event(std::string_view text) {
  if (auto const kind = flow::event_of(text)) return *kind;
  return fail(Fault::config_value, "'{}' is none of available, superseded, withdrawn, recalled, failed",
              printable(text));
}

Result<std::string> argument(std::string_view text) {
  if (printable(text, 4096) == text) return std::string{text};
  return fail(Fault::config_value, "'{}' has control characters or is too long", printable(text));
}

Result<trust::SignerPattern> signer(yaml::Value const& value) {
  if (value.is_map()) return pinned_signer(value);
  if (!value.is_text() || value.is_empty()) return fail(Fault::config_value, "a distinguished name is expected");
  return trust::DistinguishedName::parse(value.text()).map([](trust::DistinguishedName name) {
    return trust::SignerPattern{std::move(name), std::nullopt};
  });
}

}  // namespace imageswarm::settings
