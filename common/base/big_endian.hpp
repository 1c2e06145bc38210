#pragma once

#include <cstddef>
#include <cstdint>

namespace imageswarm {

/// In network byte order, the most significant byte first, at the end of `out` (characters).
template <class Number, class Characters>
void put_big_endian(Characters& out, std::uint64_t value) {
  for (std::size_t i = sizeof(Number); i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace imageswarm
