#include "common/image/ovf_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {
namespace {

/// The whole text as a number.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  auto const read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return {};
  return value;
}

template <class Number>
bool is_integer(std::string_view text, unsigned bits) {
  auto const spare = static_cast<unsigned>(std::numeric_limits<std::uint64_t>::digits) - bits;
  auto const value = number<Number>(text);
  return value && *value <= std::numeric_limits<Number>::max() >> spare &&
         *value >= std::numeric_limits<Number>::min() >> spare;
}

template <class Number>
bool is_real(std::string_view text) {
  auto const value = number<Number>(text);
  return value && std::isfinite(*value);
}

bool fits_type(std::string_view type, std::string_view value) {
  if (type == "boolean") return value == "true" || value == "false";
  if (type == "real32") return is_real<float>(value);
  if (type == "real64") return is_real<double>(value);
  for (auto const bits : {8u, 16u, 32u, 64u}) {
    auto const size = std::to_string(bits);
    if (type == "uint" + size) return is_integer<std::uint64_t>(value, bits);
    if (type == "sint" + size) return is_integer<std::int64_t>(value, bits);
  }
  return true;
}

/// What stands between `begin`, which may stand anywhere, and `end`.
std::optional<std::string_view> between(std::string_view text, std::string_view begin, char end) {
  auto const at = text.find(begin);
  if (at == text.npos) return {};
  auto const rest = text.substr(at + begin.size());
  return rest.substr(0, rest.find(end));
}

std::size_t characters_in(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Of `"a", "b"`: a text in quotation marks.
bool is_listed(std::string_view list, std::string_view value) {
  for (auto open = list.find('"'); open != list.npos;) {
    auto const close = list.find('"', open + 1);
    if (close == list.npos) return false;
    if (list.substr(open + 1, close - open - 1) == value) return true;
    open = list.find('"', close + 1);
  }
  return false;
}

}  // namespace

Result<> check_value(std::string_view property, std::string_view type, std::string_view qualifiers,
                     std::string_view value) {
  auto const refuse = [property](std::string_view why) {
    return fail(Fault::image_ovf, "the value for the property {} {}", printable(property), why);
  };
  bool const writable = is_utf8(value) && std::ranges::none_of(value, [](unsigned char c) {
                          return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
                        });
  if (!writable) return refuse("is not a text in UTF-8 without control characters");
  if (!fits_type(type, value)) return refuse(fmt::format("is no {}", printable(type)));
  auto const length = characters_in(value);
  if (auto const least = between(qualifiers, "MinLen(", ')'); least && length < number<std::size_t>(*least).value_or(0))
    return refuse(fmt::format("is shorter than {} characters", printable(*least)));
  if (auto const most = between(qualifiers, "MaxLen(", ')');
      most && length > number<std::size_t>(*most).value_or(SIZE_MAX))
    return refuse(fmt::format("is longer than {} characters", printable(*most)));
  if (auto const list = between(qualifiers, "ValueMap{", '}'); list && !is_listed(*list, value))
    return refuse(fmt::format("is none of {}", printable(*list)));
  return {};
}

}  // namespace imageswarm::image
