#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace imageswarm::attacks {

/// One element of a DER encoding (X.690), to be spoilt and written again.
struct Der {
  /// How its length is written: as DER wants, with a leading zero octet, or left open until two zero octets.
  enum class Length : std::uint8_t { shortest, padded, indefinite };

  std::uint8_t tag = 0;
  std::string content;     ///< of a primitive element
  std::vector<Der> parts;  ///< of a constructed one
  Length length = Length::shortest;

  /// The whole of `bytes`, which are sound.
  static Der read(std::string_view bytes);
  std::string bytes() const;
  /// at({4, 0}): the first part of the fifth.
  Der& at(std::initializer_list<std::size_t> path);
};

inline Der primitive(std::uint8_t tag, std::string content) {
  return {tag, std::move(content), {}};
}
inline Der constructed(std::uint8_t tag, std::vector<Der> parts) {
  return {tag, {}, std::move(parts)};
}

}  // namespace imageswarm::attacks
