#include "common/image/iso.hpp"

#include <string_view>

#include "common/image/numbers.hpp"
#include "common/image/partitions.hpp"

namespace imageswarm::image {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t block = 2048, first_descriptor = 16, max_descriptors = 64;

// ECMA-119 §8: what kinds of volume descriptors there are.
enum Kind : std::uint8_t { primary = 1, terminator = 255 };

/// Numbers stand in both byte orders, one after the other (ECMA-119 §7.2.3, §7.3.3).
Result<std::uint32_t> both_orders(std::uint32_t little, std::uint32_t big) {
  if (little == big) return little;
  return fail(Fault::image_header, "the ISO's volume descriptor contradicts itself");
}

Result<> check_primary(std::span<std::byte const> descriptor, ByteCount total) {
  LittleEndian const little{descriptor};
  BigEndian const big{descriptor};
  auto const blocks = both_orders(little.u32(80), big.u32(84));
  if (!blocks) return fail(blocks.error());
  auto const block_size = both_orders(little.u16(128), big.u16(130));
  if (!block_size) return fail(block_size.error());
  if (*block_size != block || *blocks <= first_descriptor) {
    return fail(Fault::image_header, "the ISO has {} blocks of {} bytes", *blocks, *block_size);
  }
  if (std::uint64_t{*blocks} * block > total.value) {
    return fail(Fault::image_truncated, "the ISO has {} blocks, the image ends before", *blocks);
  }
  return {};
}

Result<> check_one_format(std::span<std::byte const> head) {
  std::string_view const text{reinterpret_cast<char const*>(head.data()), head.size()};
  bool const gpt = text.substr(512).starts_with("EFI PART");
  bool const apple = text.starts_with("ER\2\0"sv) || text.substr(512).starts_with("PM\0\0"sv);
  if (partitions_of(head) == Partitions::none && !gpt && !apple) return {};
  return fail(Fault::image_format_mismatch,
              "the image is an ISO and a disk with a partition table at once; overwrite its first 32 KiB with zeros, "
              "which no CD needs");
}

}  // namespace

Result<ByteCount> check_iso(std::span<std::byte const> head, ByteCount total) {
  if (auto const fine = check_one_format(head); !fine) return fail(fine.error());
  for (std::size_t i = 0; i < max_descriptors; ++i) {
    auto const at = (first_descriptor + i) * block;
    if (head.size() < at + block) return fail(Fault::image_truncated, "the image ends within its ISO header");
    auto const descriptor = head.subspan(at, block);
    std::string_view const text{reinterpret_cast<char const*>(descriptor.data()), block};
    auto const kind = std::to_integer<std::uint8_t>(descriptor[0]);
    if (!text.substr(1).starts_with("CD001") || (i == 0 && kind != primary)) break;
    if (kind == terminator) return total;
    if (i > 0) continue;
    if (auto const fine = check_primary(descriptor, total); !fine) return fail(fine.error());
  }
  return fail(Fault::image_header, "the ISO's volume descriptors are damaged");
}

}  // namespace imageswarm::image
