#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace imageswarm::image {

/// The numbers of a header; whoever asks has compared the length.
template <std::endian order>
struct Numbers {
  std::span<std::byte const> bytes;

  std::uint16_t u16(std::size_t offset) const { return static_cast<std::uint16_t>(number(offset, 2)); }
  std::uint32_t u32(std::size_t offset) const { return static_cast<std::uint32_t>(number(offset, 4)); }
  std::uint64_t u64(std::size_t offset) const { return number(offset, 8); }

private:
  std::uint64_t number(std::size_t offset, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      auto const at = order == std::endian::big ? i : size - 1 - i;
      value = value << 8 | std::to_integer<std::uint64_t>(bytes[offset + at]);
    }
    return value;
  }
};

using BigEndian = Numbers<std::endian::big>;
using LittleEndian = Numbers<std::endian::little>;

}  // namespace imageswarm::image
