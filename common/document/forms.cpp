#include "common/document/forms.hpp"

#include <algorithm>
#include <cctype>

#include "common/base/text.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

bool is_ascii_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// 1 to 128 characters: a letter or digit, then those and `others`.
bool is_name(std::string_view text, std::string_view others) {
  if (text.empty() || text.size() > 128 || !is_ascii_letter_or_digit(text.front())) return false;
  return std::ranges::all_of(
      text, [&](char c) { return is_ascii_letter_or_digit(c) || others.find(c) != std::string_view::npos; });
}

Result<std::string> bounded_text(yaml::Value const& value, std::size_t most, bool lines) {
  if (!value.is_text()) return fail(Fault::doc_field, "it is not a single value");
  auto const& read = value.text();
  if (read.size() > most) return fail(Fault::doc_field, "{} bytes are too long; at most {}", read.size(), most);
  // YAML's escapes can say what the bytes of a document may not hold.
  auto plain = read;
  if (lines) std::erase(plain, '\n');
  if (printable(plain, most) != plain) {
    return fail(Fault::doc_field, "'{}' has characters that cannot be shown", printable(read));
  }
  return read;
}

bool is_url_text(std::string_view text) {
  static constexpr std::string_view refused = "\"<>\\^`{|}";
  return !text.empty() && text.size() <= 2048 && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7F && refused.find(c) == std::string_view::npos;
  });
}

/// An absolute URL of one of the schemes, with a host and no user or password.
bool is_url(std::string_view text, std::initializer_list<std::string_view> schemes) {
  if (!is_url_text(text)) return false;
  auto const end = text.find("://");
  if (end == std::string_view::npos || std::ranges::find(schemes, text.substr(0, end)) == schemes.end()) return false;
  auto const rest = text.substr(end + 3);
  auto const authority = rest.substr(0, rest.find_first_of("/?#"));
  return !authority.empty() && !authority.starts_with(':') && authority.find('@') == std::string_view::npos;
}

}  // namespace

bool is_document_name(std::string_view text) {
  return is_name(text, ".-") && std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_image_name(std::string_view text) {
  return is_name(text, " ._+()-");
}

bool is_file_name(std::string_view text) {
  return is_name(text, "._-");
}

Result<std::string> line(yaml::Value const& value) {
  return bounded_text(value, 255, false);
}

Result<std::string> text(yaml::Value const& value) {
  return bounded_text(value, 65535, true);
}

Result<bool> boolean(yaml::Value const& value) {
  if (value.is_text() && (value.text() == "true" || value.text() == "false")) return value.text() == "true";
  return fail(Fault::doc_field, "it is neither true nor false");
}

Result<ByteCount> size(yaml::Value const& value) {
  return number(1, max_number)(value).map([](std::uint64_t bytes) { return ByteCount{bytes}; });
}

Result<std::string> web_seed(yaml::Value const& value) {
  if (value.is_text() && is_url(value.text(), {"http", "https"}) && value.text().ends_with('/')) return value.text();
  return fail(Fault::doc_field, "it is not an http or https URL that ends in '/'");
}

Result<std::string> tracker(yaml::Value const& value) {
  if (value.is_text() && is_url(value.text(), {"http", "https", "udp"})) return value.text();
  return fail(Fault::doc_field, "it is not an http, https or udp URL");
}

Result<std::string> web_url(yaml::Value const& value) {
  if (value.is_text() && is_url(value.text(), {"http", "https"})) return value.text();
  return fail(Fault::doc_field, "it is not an http or https URL");
}

Result<std::string> download_url(yaml::Value const& value) {
  if (value.is_text() && is_url_text(value.text())) {
    std::string_view const url = value.text();
    bool const has_scheme = url.substr(0, url.find_first_of("/?#")).find(':') != std::string_view::npos;
    if (!has_scheme || is_url(url, {"http", "https"})) return value.text();
  }
  return fail(Fault::doc_field, "it is neither an http or https URL nor a relative one");
}

}  // namespace imageswarm::document
