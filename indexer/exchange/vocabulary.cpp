#include "indexer/exchange/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <utility>

#include "common/base/text.hpp"

namespace imageswarm::exchange {
namespace {

constexpr std::size_t longest_name = 128;
/// The longest text of a catalogue entry.
constexpr std::size_t longest_text = 65535;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string image_name_of(std::string_view title) {
  std::string name;
  for (char const c : title.substr(0, longest_name)) {
    if (document::is_image_name(name + c)) {
      name += c;
    } else if (!name.empty() && !name.ends_with('-')) {
      name += '-';
    }
  }
  while (name.ends_with('-') || name.ends_with(' ')) name.pop_back();
  return name.empty() ? "image" : name;
}

Result<document::Version> version_of(std::string_view text) {
  std::string version;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_digit(text[at])) continue;
    if (at > 0 && !is_digit(text[at - 1]) && !version.empty()) version += '.';
    version += text[at];
  }
  auto parsed = document::Version::parse(version);
  if (!parsed)
    return fail(Fault::import_field, "'{}' is not a version: it has no digits, or too many", printable(text));
  return parsed;
}

std::string architecture_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> others{{{"amd64", "x86_64"},
                                                                                        {"x86-64", "x86_64"},
                                                                                        {"i386", "i686"},
                                                                                        {"x86", "i686"},
                                                                                        {"arm64", "aarch64"},
                                                                                        {"armhf", "armv7l"},
                                                                                        {"ppc64el", "ppc64le"}}};
  auto const lower = lower_case(trimmed(name));
  auto const known = std::ranges::find(others, lower, &std::pair<std::string_view, std::string_view>::first);
  return known == others.end() ? lower : std::string{known->second};
}

std::string distribution_of(std::string_view name) {
  auto lower = lower_case(name);
  std::erase_if(lower, [](unsigned char c) { return std::isspace(c) != 0; });
  return lower;
}

std::string plain_text(std::string_view text) {
  std::string plain{text};
  std::ranges::replace_if(
      plain, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return printable(trimmed(plain), longest_text);
}

Result<TimePoint> parse_mail_time(std::string_view text) {
  std::tm parts{};
  std::string const terminated{trimmed(text)};
  auto const* end = ::strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S %z", &parts);
  if (!end || *end != '\0') {
    return fail(Fault::doc_field, "'{}' is not a time as in 'Sat, 10 Jan 2026 08:00:00 +0000'", printable(text));
  }
  auto const offset = parts.tm_gmtoff;  // timegm sets it to zero
  return TimePoint{std::chrono::seconds{::timegm(&parts) - offset}};
}

}  // namespace imageswarm::exchange
