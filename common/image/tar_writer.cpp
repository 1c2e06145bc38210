#include "common/image/tar_writer.hpp"

#include <fmt/format.h>

#include <cassert>

namespace imageswarm::image {
namespace {

constexpr std::size_t block = 512;
constexpr std::size_t sum_at = 148;

/// Big-endian, behind a first byte of 0x80.
std::string in_base_256(std::uint64_t size) {
  std::string field(12, '\0');
  for (auto at = field.rbegin(); size > 0; ++at, size >>= 8) *at = static_cast<char>(size & 0xFF);
  field.front() = '\x80';
  return field;
}

}  // namespace

std::string tar_header(std::string_view name, std::uint64_t size) {
  assert(name.size() <= 100);
  std::string header(block, '\0');
  auto const put = [&header](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size >> 33 == 0 ? fmt::format("{:011o}", size) : in_base_256(size));
  put(136, "00000000000");
  put(sum_at, "        ");
  put(156, "0");
  put(257, std::string_view{"ustar\00000", 8});
  unsigned sum = 0;
  for (auto const byte : header) sum += static_cast<unsigned char>(byte);
  put(sum_at, fmt::format("{:06o}", sum) + std::string{"\0 ", 2});
  return header;
}

std::string tar_padding(std::uint64_t size) {
  return std::string((block - size % block) % block, '\0');
}

std::string tar_end() {
  return std::string(2 * block, '\0');
}

}  // namespace imageswarm::image
