#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm {

/// A number of bytes; never negative.
struct ByteCount {
  std::uint64_t value = 0;

  auto operator<=>(ByteCount const&) const = default;
  ByteCount& operator+=(ByteCount other) {
    value += other.value;
    return *this;
  }
  friend ByteCount operator+(ByteCount a, ByteCount b) { return {a.value + b.value}; }
  /// Zero where `b` is the larger.
  friend ByteCount operator-(ByteCount a, ByteCount b) { return {a.value > b.value ? a.value - b.value : 0}; }
};

inline constexpr ByteCount operator""_KiB(unsigned long long n) {
  return {n << 10};
}
inline constexpr ByteCount operator""_MiB(unsigned long long n) {
  return {n << 20};
}
inline constexpr ByteCount operator""_GiB(unsigned long long n) {
  return {n << 30};
}

/// Bytes per second; `unlimited` is its own value, not zero.
struct Rate {
  static constexpr std::uint64_t no_limit = UINT64_MAX;
  std::uint64_t bytes_per_second = no_limit;

  bool unlimited() const { return bytes_per_second == no_limit; }
  auto operator<=>(Rate const&) const = default;
};

/// "30GB", "4MiB", "512", "16 KiB": k, M, G, T are powers of 1000, Ki, Mi, Gi, Ti of 1024. Fault: usage.
[[nodiscard]] Result<ByteCount> parse_size(std::string_view text);

/// "20MB/s", "100Mbit/s", "unlimited"; zero is refused. Fault: usage.
[[nodiscard]] Result<Rate> parse_rate(std::string_view text);

/// "90s", "15m", "2h", "28d", "4w"; a number and one unit. Fault: usage.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// A whole decimal number in the range, with no sign, blank or leading zero. Fault: usage.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most);

/// For people: "2.77 GB", "512 B" (powers of 1000, three significant digits).
std::string human(ByteCount size);
/// "12.5 MB/s" or "unlimited".
std::string human(Rate rate);
/// "2d 3h", "4m 10s", "0s": the two largest units.
std::string human(std::chrono::seconds span);

/// The form that `parse_rate` reads back: "20000000B/s", "unlimited".
std::string exact(Rate rate);

}  // namespace imageswarm
