#include "common/base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "common/base/text.hpp"

namespace imageswarm {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array multiples{Unit{"", 1},
                               Unit{"k", 1'000},
                               Unit{"K", 1'000},
                               Unit{"M", 1'000'000},
                               Unit{"G", 1'000'000'000},
                               Unit{"T", 1'000'000'000'000},
                               Unit{"Ki", 1ull << 10},
                               Unit{"Mi", 1ull << 20},
                               Unit{"Gi", 1ull << 30},
                               Unit{"Ti", 1ull << 40}};

std::optional<std::uint64_t> multiple(std::string_view prefix) {
  for (auto const& unit : multiples) {
    if (unit.name == prefix) return unit.factor;
  }
  return std::nullopt;
}

/// A decimal number, perhaps with a fraction, and the rest of the text after blanks.
std::optional<std::pair<long double, std::string_view>> leading_number(std::string_view text) {
  // Beginning with anything else it may mean infinity, which libstdc++ looks for beyond the end.
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  long double number = 0;  // whole up to 2^64, as a double is not
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return std::pair{number, text};
}

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

std::optional<std::uint64_t> scaled(long double number, std::uint64_t factor, std::uint64_t divisor = 1) {
  auto const value = number * static_cast<long double>(factor) / static_cast<long double>(divisor);
  bool const part_of_a_byte = factor == 1 && number != std::floor(number);
  if (part_of_a_byte || !(value < 9.2e18L)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(value));
}

}  // namespace

Result<ByteCount> parse_size(std::string_view text) {
  auto const number = leading_number(text);
  if (number) {
    auto unit = number->second;
    strip_suffix(unit, "B");
    if (auto const factor = multiple(unit)) {
      if (auto const value = scaled(number->first, *factor)) return ByteCount{*value};
    }
  }
  return fail(Fault::usage, "'{}' is not a size; write for example 4MiB, 30GB or a number of bytes", printable(text));
}

Result<Rate> parse_rate(std::string_view text) {
  if (text == "unlimited") return Rate{};
  auto const number = leading_number(text);
  if (number) {
    auto unit = number->second;
    std::uint64_t divisor = 1;
    bool known = true;
    if (strip_suffix(unit, "bit/s")) {
      divisor = 8;
    } else {
      known = strip_suffix(unit, "B/s");
    }
    if (auto const factor = multiple(unit); known && factor) {
      auto const value = scaled(number->first, *factor, divisor);
      if (value && *value > 0) return Rate{*value};
    }
  }
  return fail(Fault::usage, "'{}' is not a rate; write for example 20MB/s, 100Mbit/s or unlimited", printable(text));
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  static constexpr std::array units{Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86400}, Unit{"w", 604800}};
  for (auto const& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    auto const number = parse_number(text.substr(0, text.size() - 1), 0, 1'000'000'000);
    if (number) return std::chrono::seconds{static_cast<std::int64_t>(*number * unit.factor)};
  }
  return fail(Fault::usage, "'{}' is not a duration; write for example 90s, 15m, 2h or 28d", printable(text));
}

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool const whole = error == std::errc{} && end == text.data() + text.size();
  bool const canonical = text.size() == 1 || !text.starts_with('0');
  if (!whole || !canonical || number < least || number > most) {
    return fail(Fault::usage, "'{}' is not a whole number from {} to {}", printable(text), least, most);
  }
  return number;
}

std::string human(ByteCount size) {
  static constexpr std::array names{"kB", "MB", "GB", "TB", "PB"};
  if (size.value < 1000) return fmt::format("{} B", size.value);
  auto number = static_cast<double>(size.value) / 1000;
  std::size_t unit = 0;
  while (number >= 999.5 && unit + 1 < names.size()) {
    number /= 1000;
    ++unit;
  }
  int const decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", number, decimals, names[unit]);
}

std::string human(Rate rate) {
  return rate.unlimited() ? "unlimited" : human(ByteCount{rate.bytes_per_second}) + "/s";
}

std::string human(std::chrono::seconds span) {
  static constexpr std::array units{Unit{"d", 86400}, Unit{"h", 3600}, Unit{"m", 60}, Unit{"s", 1}};
  auto left = static_cast<std::uint64_t>(span.count() < 0 ? 0 : span.count());
  std::string text;
  for (std::size_t i = 0, shown = 0; i < units.size() && shown < 2; ++i) {
    auto const count = left / units[i].factor;
    left %= units[i].factor;
    if (shown == 0 && count == 0 && units[i].name != "s") continue;
    ++shown;
    if (count > 0 || text.empty()) text += fmt::format("{}{}{}", text.empty() ? "" : " ", count, units[i].name);
  }
  return text;
}

std::string exact(Rate rate) {
  return rate.unlimited() ? "unlimited" : fmt::format("{}B/s", rate.bytes_per_second);
}

}  // namespace imageswarm
