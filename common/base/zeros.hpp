#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>

#include "common/base/result.hpp"

namespace imageswarm {

/// Are all of these bytes zero, so that a hole may stand for them?
inline bool all_zeros(std::span<std::byte const> bytes) {
  return bytes.empty() ||
         (bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Writes into a file that has nothing behind `offset`: of aligned blocks of 64 KiB those of zeros are left out, to be
/// holes once the file is longer. Faults: disk-….
[[nodiscard]] Result<> write_with_holes(int fd, std::uint64_t offset, std::span<std::byte const> data,
                                        std::filesystem::path const& path);

}  // namespace imageswarm
