#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace imageswarm {

/// Are all of these bytes zero, so that a hole may stand for them?
inline bool all_zeros(std::span<std::byte const> bytes) {
  return bytes.empty() ||
         (bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace imageswarm
