#include "common/image/qcow2.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "common/image/formats.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using namespace std::string_literals;

namespace {

Result<Inspection> judge(std::string const& disk) {
  MemoryContent content{disk};
  return image::judge(content);
}

Result<Inspection> judge(Qcow2 const& image) {
  return judge(image.content());
}

}  // namespace

TEST_CASE("a sound qcow2 is accepted with the size of its disk", "[image][qcow2]") {
  auto const found = judge(Qcow2{});
  REQUIRE(found);
  CHECK(found->disk_format == "qcow2");
  CHECK(found->virtual_size.value == Qcow2::disk_size);
}

TEST_CASE("what is harmless in a qcow2 is accepted", "[image][qcow2]") {
  CHECK(judge(Qcow2{}.u32(4, 2).u32(96, 0).u32(100, 0)));                // version 2
  CHECK(judge(Qcow2{}.u64(80, 1)));                                      // lazy refcounts
  CHECK(judge(Qcow2{}.u64(80, 1ull << 63).u64(88, 1ull << 63)));         // unknown, compatible and autoclear
  CHECK(judge(Qcow2{}.extension(0xe2792aca, "qcow2")));                  // format of no backing file
  CHECK(judge(Qcow2{}.extension(0x6803f857, std::string(48, 'n'))));     // names of features
  CHECK(judge(Qcow2{}.u32(100, 112)));                                   // header with compression type 0
  CHECK(judge(Qcow2{}.u32(100, 112).u64(72, 8).u8(104, 1)));             // clusters packed with zstd
  CHECK(judge(Qcow2{}.extension(0x23852875, std::string(24, '\xff'))));  // bitmaps that are out of date
}

TEST_CASE("every rule for qcow2 refuses with its word", "[image][qcow2]") {
  auto const bitmaps_at = [](char high) {
    return "\0\0\0\1\0\0\0\0"s + "\0\0\0\0\0\0\0\x20"s + high + "\0\0\0\0\1\0\0"s;
  };
  struct {
    std::string name;
    Qcow2 image;
    std::string expected;
  } const attacks[] = {
      {"backing file", Qcow2{}.u64(8, 512).u32(16, 11), "image-backing-file"},
      {"backing file without a length", Qcow2{}.u64(8, 1ull << 63), "image-backing-file"},
      {"data file bit", Qcow2{}.u64(72, 4), "image-data-file"},
      {"data file name", Qcow2{}.extension(0x44415441, "/etc/shadow"), "image-data-file"},
      {"data file name after another extension", Qcow2{}.extension(0xe2792aca, "raw").extension(0x44415441, "x"),
       "image-data-file"},
      {"raw data file", Qcow2{}.u64(88, 2), "image-data-file"},
      {"corrupt", Qcow2{}.u64(72, 2), "image-corrupt"},
      {"dirty", Qcow2{}.u64(72, 1), "image-corrupt"},
      {"extended L2 entries", Qcow2{}.u64(72, 16), "image-feature"},
      {"unknown feature", Qcow2{}.u64(72, 32), "image-feature"},
      {"unknown feature in the highest bit", Qcow2{}.u64(72, 1ull << 63), "image-feature"},
      {"unknown compression type", Qcow2{}.u32(100, 112).u64(72, 8).u8(104, 2), "image-feature"},
      {"compression type without its bit", Qcow2{}.u32(100, 112).u8(104, 1), "image-feature"},
      {"compression bit without a type", Qcow2{}.u64(72, 8), "image-feature"},
      {"AES", Qcow2{}.u32(32, 1), "image-encrypted"},
      {"LUKS", Qcow2{}.u32(32, 2), "image-encrypted"},
      {"LUKS header without the method", Qcow2{}.extension(0x0537be77, std::string(16, '\0')), "image-encrypted"},
      {"snapshots", Qcow2{}.u32(60, 1), "image-snapshot"},
      {"clusters too small", Qcow2{}.u32(20, 8), "image-cluster-size"},
      {"clusters too large", Qcow2{}.u32(20, 22), "image-cluster-size"},
      {"a shift beyond the word", Qcow2{}.u32(20, 0xffffffff), "image-cluster-size"},
      {"refcount order", Qcow2{}.u32(96, 7), "image-header"},
      {"unknown version", Qcow2{}.u32(4, 4), "image-header"},
      {"short header", Qcow2{}.u32(100, 96), "image-header"},
      {"odd header", Qcow2{}.u32(100, 105), "image-header"},
      {"endless header", Qcow2{}.u32(100, 0xfffffff8), "image-header"},
      {"endless extension", Qcow2{}.u32(104, 7).u32(108, 0xffffffff), "image-header"},
      {"short bitmaps extension", Qcow2{}.u64(88, 1).extension(0x23852875, "x"), "image-header"},
      {"bitmaps outside", Qcow2{}.u64(88, 1).extension(0x23852875, bitmaps_at('\x70')), "image-table"},
      {"L1 table outside", Qcow2{}.u64(40, 4 * 65536), "image-table"},
      {"L1 table that wraps around", Qcow2{}.u64(40, 0xffffffffffff0000), "image-table"},
      {"L1 table over the header", Qcow2{}.u64(40, 0), "image-table"},
      {"L1 table not on a cluster", Qcow2{}.u64(40, 3 * 65536 - 8), "image-table"},
      {"L1 table that ends outside", Qcow2{}.u32(36, 21), "image-table"},
      {"huge L1 table", Qcow2{}.u32(36, 0xffffffff), "image-table"},
      {"L1 table too small for the disk", Qcow2{}.u32(36, 19), "image-table"},
      {"refcount table outside", Qcow2{}.u64(48, 4 * 65536), "image-table"},
      {"huge refcount table", Qcow2{}.u32(56, 0xffffffff), "image-table"},
      {"no refcount table", Qcow2{}.u32(56, 0), "image-table"},
      {"tables over each other", Qcow2{}.u64(40, 65536), "image-table"},
      {"no disk", Qcow2{}.u64(24, 0), "image-virtual-size"},
      {"disk over the limit", Qcow2{}.u64(24, (64ull << 40) + 512), "image-virtual-size"},
      {"disk of all bits", Qcow2{}.u64(24, UINT64_MAX), "image-virtual-size"},
      {"qcow version 1", Qcow2{}.u32(4, 1), "image-format-unsupported"},
  };
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.image)) == attack.expected);
  }
}

TEST_CASE("a qcow2 that ends anywhere in its first cluster is refused", "[image][qcow2]") {
  auto const whole = Qcow2{}.extension(0x6803f857, std::string(48, 'n')).content();
  for (std::size_t size = 4; size <= 65536; size += size < 512 ? 1 : 509) {
    INFO(size);
    CHECK_FALSE(judge(whole.substr(0, size)));
  }
  for (std::size_t const size : {4u, 8u, 71u, 72u, 103u}) {
    INFO(size);
    CHECK(word_of(judge(whole.substr(0, size))) == "image-truncated");
  }
}

TEST_CASE("a qcow2 of version 3 with the largest clusters fits in the head", "[image][qcow2]") {
  std::string content = Qcow2{}.u32(20, 21).u64(40, 3u << 21).u64(48, 1u << 21).content();
  content.resize((3u << 21) + 20 * 8);
  CHECK(judge(content));
}
