#include "common/image/partitions.hpp"

#include <algorithm>

#include "common/image/numbers.hpp"

namespace imageswarm::image {
namespace {

constexpr std::size_t sector = 512, first_entry = 446, entry_size = 16, entries = 4;
constexpr std::uint16_t boot_signature = 0xaa55;

}  // namespace

Partitions partitions_of(std::span<std::byte const> head) {
  if (head.size() < sector || LittleEndian{head}.u16(sector - 2) != boot_signature) return Partitions::none;
  bool any = false;
  for (std::size_t i = 0; i < entries; ++i) {
    auto const entry = head.subspan(first_entry + i * entry_size, entry_size);
    auto const status = std::to_integer<unsigned>(entry[0]);
    if (status != 0 && status != 0x80) return Partitions::boot_signature_only;
    any = any || entry[4] != std::byte{0};  // its type
  }
  return any ? Partitions::some : Partitions::boot_signature_only;
}

}  // namespace imageswarm::image
