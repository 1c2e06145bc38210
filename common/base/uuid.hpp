#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm {

/// RFC 4122, written in lower case with dashes.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(Uuid const&) const = default;
  std::string text() const;
  /// 8-4-4-4-12 hex digits of either case. Fault: doc-field.
  [[nodiscard]] static Result<Uuid> parse(std::string_view text);
  /// Version 4, from OpenSSL's random numbers.
  static Uuid random();
  /// Version 5 (RFC 4122 §4.3, SHA-1).
  static Uuid named(Uuid const& name_space, std::string_view name);
};

}  // namespace imageswarm
