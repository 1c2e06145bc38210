// Packed content that does not unpack to exactly what was signed, through the real helper in its sandbox.
#include <zlib.h>

#include "common/image/compress.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/unit/image/builders.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::string_literals;
using document::Compression;
using image::test::compressed;

constexpr Compression formats[] = {Compression::gzip, Compression::xz, Compression::zstd, Compression::bzip2};
constexpr std::size_t disk_size = 300'000;

std::string disk() {
  return image::test::noise(disk_size);
}

std::string outcome_as(std::string_view artefact, Compression format, std::uint64_t size = disk_size) {
  return outcome_of(image::test::unpack_all(artefact, format, size).result);
}

/// For every format alike.
struct Row {
  char const* name;
  char const* expected;
  std::string (*change)(std::string packed, Compression format);
  std::int64_t size_off = 0;  ///< signed, against the true one
};

std::string twice(std::string const& packed, Compression) {
  return packed + packed;
}

std::vector<Row> const rows{
    {"nothing wrong", "accepted", [](std::string packed, Compression) { return packed; }},
    {"a byte more than was signed", "bomb", [](std::string packed, Compression) { return packed; }, -1},
    {"a byte less than was signed", "image-truncated", [](std::string packed, Compression) { return packed; }, 1},
    {"half of it", "image-truncated",
     [](std::string packed, Compression) { return packed.substr(0, packed.size() / 2); }},
    {"all but the last byte", "image-truncated",
     [](std::string packed, Compression) { return packed.substr(0, packed.size() - 1); }},
    {"a byte behind the end", "image-trailing-data", [](std::string packed, Compression) { return packed + "x"; }},
    {"zeros behind the end", "image-trailing-data",
     [](std::string packed, Compression) { return packed + std::string(512, '\0'); }},
    {"an archive behind the end", "image-trailing-data",
     [](std::string packed, Compression) { return packed + "ustar\0evil"s; }},
    {"a wrong checksum", "image-compression",
     [](std::string packed, Compression format) {
       packed[packed.size() - (format == Compression::gzip ? 8 : 2)] ^= 0x55;
       return packed;
     }},
    {"no packed data at all", "image-compression", [](std::string, Compression) { return disk(); }},
    {"an empty file", "image-truncated", [](std::string, Compression) { return ""s; }},
};

/// Zeros, packed as they are made: `size` of them are never in memory at once.
std::string bomb(Compression format, std::size_t mebibytes) {
  std::string packed;
  image::Compressor compressor{format, [&packed](std::span<std::byte const> data) -> Result<> {
                                 packed.append(reinterpret_cast<char const*>(data.data()), data.size());
                                 return {};
                               }};
  std::string const zeros(1u << 20, '\0');
  for (std::size_t i = 0; i < mebibytes; ++i) {
    if (!compressor.update(image::test::bytes(zeros))) return "the compressor failed";
  }
  return compressor.finish() ? packed : "the compressor failed";
}

std::string little_endian(std::uint32_t value, std::size_t size) {
  std::string text;
  for (; text.size() < size; value >>= 8) text.push_back(static_cast<char>(value & 0xff));
  return text;
}

/// A zstd frame with one stored block and a window of 2^log bytes.
std::string zstd_of_window(int log) {
  auto const content = image::test::raw_disk(1000);
  return "\x28\xb5\x2f\xfd\0"s + static_cast<char>((log - 10) << 3) +
         little_endian(static_cast<std::uint32_t>(content.size() << 3 | 1), 3) + content;
}

/// xz whose header asks for a dictionary of this code (32: 256 MiB, 40: 4 GiB), with the right checksum.
std::string xz_of_dictionary(char code) {
  auto xz = compressed(Compression::xz, image::test::raw_disk(1000));
  constexpr std::size_t block_header = 12;
  auto const size = (static_cast<std::size_t>(xz[block_header]) + 1) * 4;
  xz[xz.find("\x21\x01"s, block_header) + 2] = code;
  auto const sum = ::crc32(0, reinterpret_cast<Bytef const*>(xz.data() + block_header), static_cast<uInt>(size - 4));
  return xz.replace(block_header + size - 4, 4, little_endian(static_cast<std::uint32_t>(sum), 4));
}

/// gzip with a name, an extra field and a comment in its header (RFC 1952), none of which mean anything to us.
std::string gzip_with_name(std::string const& name) {
  auto packed = compressed(Compression::gzip, disk());
  packed[3] = 0x08;
  return packed.insert(10, name + '\0');
}

std::string zlib_of(std::string const& content) {
  std::string packed(::compressBound(content.size()), '\0');
  auto size = static_cast<uLongf>(packed.size());
  ::compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<Bytef const*>(content.data()),
             content.size());
  packed.resize(size);
  return packed;
}

struct SingleRow {
  char const* name;
  char const* expected;
  Compression format;
  std::uint64_t size;
  std::string (*make)();
};

std::vector<SingleRow> const single_rows{
    {"gzip: two members", "image-trailing-data", Compression::gzip, 2 * disk_size,
     [] { return twice(compressed(Compression::gzip, disk()), {}); }},
    {"xz: two streams", "image-trailing-data", Compression::xz, 2 * disk_size,
     [] { return twice(compressed(Compression::xz, disk()), {}); }},
    {"bzip2: two streams", "image-trailing-data", Compression::bzip2, 2 * disk_size,
     [] { return twice(compressed(Compression::bzip2, disk()), {}); }},
    {"zstd: two frames, as chunks are made of", "accepted", Compression::zstd, 2 * disk_size,
     [] { return twice(compressed(Compression::zstd, disk()), {}); }},
    {"zstd: two frames of which one was signed", "bomb", Compression::zstd, disk_size,
     [] { return twice(compressed(Compression::zstd, disk()), {}); }},
    {"zstd: a frame to be skipped behind the end", "image-trailing-data", Compression::zstd, disk_size,
     [] { return compressed(Compression::zstd, disk()) + "\x50\x2a\x4d\x18\4\0\0\0abcd"s; }},
    {"zstd: a frame to be skipped in front", "image-compression", Compression::zstd, disk_size,
     [] { return "\x50\x2a\x4d\x18\4\0\0\0abcd"s + compressed(Compression::zstd, disk()); }},
    {"zstd: a window of 128 MiB", "accepted", Compression::zstd, 1000, [] { return zstd_of_window(27); }},
    {"zstd: a window of 256 MiB", "image-compression", Compression::zstd, 1000, [] { return zstd_of_window(28); }},
    {"zstd: a window of 2 TiB", "image-compression", Compression::zstd, 1000, [] { return zstd_of_window(41); }},
    {"xz: a dictionary of 256 MiB", "image-compression", Compression::xz, 1000, [] { return xz_of_dictionary(32); }},
    {"xz: a dictionary of 4 GiB", "image-compression", Compression::xz, 1000, [] { return xz_of_dictionary(40); }},
    {"xz: padding of the stream", "image-trailing-data", Compression::xz, disk_size,
     [] { return compressed(Compression::xz, disk()) + "\0\0\0\0"s; }},
    {"gzip: the name of a host's file in its header", "accepted", Compression::gzip, disk_size,
     [] { return gzip_with_name("/etc/shadow"); }},
    {"gzip: a name of a mebibyte", "accepted", Compression::gzip, disk_size,
     [] { return gzip_with_name(std::string(1u << 20, 'x')); }},
    {"gzip: a name without end", "image-truncated", Compression::gzip, disk_size,
     [] {
       return compressed(Compression::gzip, disk()).substr(0, 10).replace(3, 1, "\x08") + std::string(1u << 20, 'x');
     }},
    {"gzip: gzip in gzip", "image-format-unsupported", Compression::gzip, 4'000,
     [] {
       auto inner = compressed(Compression::gzip, image::test::raw_disk(1000));
       inner.resize(4'000, '\0');
       return compressed(Compression::gzip, inner);
     }},
    {"gzip: zlib instead", "image-compression", Compression::gzip, disk_size, [] { return zlib_of(disk()); }},
    {"gzip: xz instead", "image-compression", Compression::gzip, disk_size,
     [] { return compressed(Compression::xz, disk()); }},
    {"bzip2: gzip instead", "image-compression", Compression::bzip2, disk_size,
     [] { return compressed(Compression::gzip, disk()); }},
    {"none: packed content", "image-format-unsupported", Compression::none, 10'000,
     [] { return compressed(Compression::gzip, disk()).substr(0, 10'000); }},
    {"none: a byte more than was signed", "image-trailing-data", Compression::none, disk_size - 1, disk},
    {"none: a byte less than was signed", "image-truncated", Compression::none, disk_size + 1, disk},
    {"gzip: a bomb of 1 GiB", "bomb", Compression::gzip, 1u << 20, [] { return bomb(Compression::gzip, 1024); }},
    {"zstd: a bomb of 8 GiB", "bomb", Compression::zstd, 1u << 20, [] { return bomb(Compression::zstd, 8192); }},
    {"bzip2: a bomb of 256 MiB", "bomb", Compression::bzip2, 1u << 20, [] { return bomb(Compression::bzip2, 256); }},
    {"xz: a bomb of 256 MiB", "bomb", Compression::xz, 1u << 20, [] { return bomb(Compression::xz, 256); }},
    {"zstd: 64 MiB of zeros, as sparse disks have", "accepted", Compression::zstd, 64u << 20,
     [] { return bomb(Compression::zstd, 64); }},
};

}  // namespace

Table archives() {
  Table table;
  for (auto const& row : rows) {
    for (auto const format : formats) {
      table.push_back(
          {"archive", std::string{document::name_of(format)} + ": " + row.name, row.expected, [&row, format] {
             auto const size = static_cast<std::uint64_t>(static_cast<std::int64_t>(disk_size) + row.size_off);
             return outcome_as(row.change(compressed(format, disk()), format), format, size);
           }});
    }
  }
  for (auto const& row : single_rows) {
    table.push_back(
        {"archive", row.name, row.expected, [&row] { return outcome_as(row.make(), row.format, row.size); }});
  }
  return table;
}

}  // namespace imageswarm::attacks
