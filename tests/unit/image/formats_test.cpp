#include "common/image/formats.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using namespace std::string_literals;

namespace {

/// A disk of 64 KiB without a mark of its own, and this at that place.
std::string disk_with(std::string_view mark, std::size_t at = 0) {
  std::string disk(65536, '\0');
  disk.replace(at, mark.size(), mark);
  return disk;
}

Result<Inspection> judge(std::string const& disk) {
  MemoryContent content{disk};
  return image::judge(content);
}

std::string with_boot_signature(std::string disk) {
  return disk.replace(446, 66, "\x80\1\1\0\x83\xfe\xff\xff\0\x08\0\0\0\0\x10\0"s + std::string(48, '\0') + "\x55\xaa");
}

}  // namespace

TEST_CASE("what carries no known mark is raw, as large as it is", "[image][formats]") {
  for (auto const& disk :
       {disk_with(""), disk_with("x"), raw_disk(100), with_boot_signature(disk_with("\xeb\x63\x90"))}) {
    auto const found = judge(disk);
    REQUIRE(found);
    CHECK(found->disk_format == "raw");
    CHECK(found->virtual_size.value == disk.size());
  }
}

TEST_CASE("of a raw disk it is said whether it has partitions", "[image][formats]") {
  auto const signed_disk = disk_with("\x55\xaa", 510);
  struct {
    std::string disk;
    Partitions expected;
  } const disks[] = {
      {disk_with(""), Partitions::none},
      {"short", Partitions::none},
      {with_boot_signature(disk_with("")), Partitions::some},
      {signed_disk, Partitions::boot_signature_only},
      {std::string{signed_disk}.replace(494, 5, "\0\0\0\0\x83"s), Partitions::some},  // the last of the four
      {std::string{signed_disk}.replace(446, 5, "\x12\0\0\0\x83"s), Partitions::boot_signature_only},
  };
  for (auto const& [disk, expected] : disks) {
    auto const found = judge(disk);
    REQUIRE(found);
    CHECK(found->partitions == expected);
  }
  CHECK(judge(Qcow2{}.content())->partitions == Partitions::unknown);
}

TEST_CASE("every other format is recognised, named and refused", "[image][formats]") {
  struct {
    std::string format;
    std::string disk;
  } const samples[] = {
      {"qcow", disk_with("QFI\xfb\0\0\0\1"s)},
      {"vmdk (COWD)", disk_with("COWD\1\0\0\0"s)},
      {"vmdk (seSparse)", disk_with("\xbe\xba\xfe\xca\0\0\0\0"s)},
      {"vmdk (descriptor)", disk_with("# Disk DescriptorFile\nversion=1\nCID=fffffffe\nRW 8 FLAT \"/etc/shadow\" 0\n")},
      {"vmdk (descriptor)", disk_with("# disk descriptorFILE\r\n")},
      {"vmdk (descriptor)", disk_with("\n  \n# anything\n#\nversion=1\nRW 8 FLAT \"/etc/shadow\" 0\n")},
      {"vmdk (descriptor)", disk_with("VERSION=1\n")},
      {"vhd", disk_with("conectix")},
      {"vhdx", disk_with("vhdxfile")},
      {"vdi", disk_with("\x7f\x10\xda\xbe", 64)},
      {"qed", disk_with("QED\0"s)},
      {"parallels", disk_with("WithoutFreeSpace")},
      {"parallels", disk_with("WithouFreSpacExt")},
      {"bochs", disk_with("Bochs Virtual HD Image\0"s)},
      {"cloop", disk_with("#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0\n")},
      {"luks", disk_with("LUKS\xba\xbe\0\1"s)},
      {"udf", disk_with("\0BEA01\1"s, 32768)},
      {"udf", disk_with("\0NSR02\1"s, 32768)},
      {"gzip", disk_with("\x1f\x8b\x08\0"s)},
      {"xz", disk_with("\xfd"
                       "7zXZ\0"s)},
      {"zstd", disk_with("\x28\xb5\x2f\xfd")},
      {"bzip2", disk_with("BZh9")},
      {"lz4", disk_with("\x04\x22\x4d\x18")},
      {"zip", disk_with("PK\x03\x04")},
      {"7z", disk_with("7z\xbc\xaf\x27\x1c")},
  };
  for (auto const& sample : samples) {
    INFO(sample.format);
    auto const found = judge(sample.disk);
    REQUIRE(word_of(found) == "image-format-unsupported");
    CHECK_THAT(found.error().what, Catch::Contains("the image is " + sample.format + ";"));
  }
}

TEST_CASE("an image of two formats at once is refused", "[image][formats]") {
  auto both = Qcow2{}.content();
  both.replace(32769, 5, "CD001");
  auto const found = judge(both);
  REQUIRE(word_of(found) == "image-format-mismatch");
  CHECK_THAT(found.error().what, Catch::Contains("qcow2, iso"));
}

TEST_CASE("the footer of a VHD is found at the end", "[image][formats]") {
  auto const tail = [](std::string_view mark, std::size_t from_end) { return disk_with(mark, 65536 - from_end); };
  auto const judge_end = [](std::string const& disk) { return judge_tail(bytes(disk).last(tail_size.value)); };
  CHECK(word_of(judge_end(tail("conectix", 512))) == "image-format-unsupported");
  CHECK(word_of(judge_end(tail("conectix", 511))) == "image-format-unsupported");
  CHECK(word_of(judge_end(tail("koly", 512))) == "image-format-unsupported");
  CHECK(judge_end(tail("conectix", 400)));
  CHECK(judge_tail(bytes("short")));
}

TEST_CASE("an image of no bytes, or of too many, is refused", "[image][formats]") {
  CHECK(word_of(judge("")) == "image-virtual-size");
  MemoryContent huge{disk_with(""), max_virtual_size + ByteCount{1}};
  CHECK(word_of(image::judge(huge)) == "image-virtual-size");
}
