// Images that are not what they seem, judged by the real helper in its sandbox.
#include <string_view>

#include "common/image/inspect.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/support/disks.hpp"
#include "tests/support/hostile_images.hpp"
#include "tests/unit/image/builders.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::string_literals;
using test::Qcow2;

std::string bitmaps_at(char high) {
  return "\0\0\0\1\0\0\0\0"s + "\0\0\0\0\0\0\0\x20"s + high + "\0\0\0\0\1\0\0"s;
}

struct Qcow2Row {
  char const* name;
  char const* expected;
  Qcow2 image;
};

std::vector<Qcow2Row> qcow2_rows() {
  return {
      {"nothing wrong", "accepted", Qcow2{}},
      {"version 2", "accepted", Qcow2{}.u32(4, 2).u32(96, 0).u32(100, 0)},
      {"clusters packed with zstd", "accepted", Qcow2{}.u32(100, 112).u64(72, 8).u8(104, 1)},
      {"lazy refcounts", "accepted", Qcow2{}.u64(80, 1)},
      {"the format of no backing file", "accepted", Qcow2{}.extension(0xe2792aca, "qcow2")},
      {"backing file /etc/shadow", "image-backing-file", Qcow2{}.u64(8, 512).u32(16, 11)},
      {"backing file as JSON", "image-backing-file", Qcow2{}.u64(8, 1024).u32(16, 900)},
      {"backing file without a length", "image-backing-file", Qcow2{}.u64(8, 1ull << 63)},
      {"backing file in version 2", "image-backing-file", Qcow2{}.u32(4, 2).u64(8, 72).u32(16, 11)},
      {"data file bit (CVE-2024-32498)", "image-data-file", Qcow2{}.u64(72, 4)},
      {"data file name without the bit", "image-data-file", Qcow2{}.extension(0x44415441, "/etc/shadow")},
      {"data file name as JSON (CVE-2024-4467)", "image-data-file",
       Qcow2{}.u64(72, 4).extension(0x44415441, "json:{\"driver\":\"file\",\"filename\":\"/etc/shadow\"}")},
      {"data file name behind another extension", "image-data-file",
       Qcow2{}.extension(0xe2792aca, "raw").extension(0x44415441, "x")},
      {"raw data file bit", "image-data-file", Qcow2{}.u64(88, 2)},
      {"corrupt", "image-corrupt", Qcow2{}.u64(72, 2)},
      {"dirty", "image-corrupt", Qcow2{}.u64(72, 1)},
      {"extended L2 entries", "image-feature", Qcow2{}.u64(72, 16)},
      {"an unknown feature", "image-feature", Qcow2{}.u64(72, 32)},
      {"an unknown feature in the highest bit", "image-feature", Qcow2{}.u64(72, 1ull << 63)},
      {"an unknown compression", "image-feature", Qcow2{}.u32(100, 112).u64(72, 8).u8(104, 2)},
      {"a compression without its bit", "image-feature", Qcow2{}.u32(100, 112).u8(104, 1)},
      {"AES", "image-encrypted", Qcow2{}.u32(32, 1)},
      {"LUKS", "image-encrypted", Qcow2{}.u32(32, 2)},
      {"a LUKS header alone", "image-encrypted", Qcow2{}.extension(0x0537be77, std::string(16, '\0'))},
      {"internal snapshots", "image-snapshot", Qcow2{}.u32(60, 1)},
      {"clusters of 256 bytes", "image-cluster-size", Qcow2{}.u32(20, 8)},
      {"clusters of 4 MiB", "image-cluster-size", Qcow2{}.u32(20, 22)},
      {"clusters that shift out of the word", "image-cluster-size", Qcow2{}.u32(20, 64)},
      {"an unknown refcount order", "image-header", Qcow2{}.u32(96, 7)},
      {"version 4", "image-header", Qcow2{}.u32(4, 4)},
      {"a header that is too short", "image-header", Qcow2{}.u32(100, 96)},
      {"a header without end", "image-header", Qcow2{}.u32(100, 0xfffffff8)},
      {"an extension without end", "image-header", Qcow2{}.u32(104, 7).u32(108, 0xffffffff)},
      {"bitmaps outside of the file", "image-table", Qcow2{}.u64(88, 1).extension(0x23852875, bitmaps_at('\x70'))},
      {"L1 table outside of the file", "image-table", Qcow2{}.u64(40, 4 * 65536)},
      {"L1 table that wraps around", "image-table", Qcow2{}.u64(40, 0xffffffffffff0000)},
      {"L1 table over the header", "image-table", Qcow2{}.u64(40, 0)},
      {"L1 table of 32 GiB", "image-table", Qcow2{}.u32(36, 0xffffffff)},
      {"L1 table too small for the disk", "image-table", Qcow2{}.u32(36, 19)},
      {"refcount table outside of the file", "image-table", Qcow2{}.u64(48, 4 * 65536)},
      {"refcount table without end", "image-table", Qcow2{}.u32(56, 0xffffffff)},
      {"tables over each other", "image-table", Qcow2{}.u64(40, 65536)},
      {"a disk of no bytes", "image-virtual-size", Qcow2{}.u64(24, 0)},
      {"a disk over 64 TiB", "image-virtual-size", Qcow2{}.u64(24, (64ull << 40) + 512)},
      {"a disk of all bits", "image-virtual-size", Qcow2{}.u64(24, UINT64_MAX)},
      {"qcow of version 1", "image-format-unsupported", Qcow2{}.u32(4, 1)},
  };
}

/// A disk of 64 KiB without a mark of its own, and this at that place.
std::string disk_with(std::string_view mark, std::size_t at = 0) {
  std::string disk(65536, '\0');
  return disk.replace(at, mark.size(), mark);
}

struct Row {
  char const* name;
  char const* expected;
  std::string content;
};

/// Declared as raw.
std::vector<Row> raw_rows() {
  auto const boot = disk_with("\x55\xaa", 510);
  auto const sound = Qcow2{}.content();
  auto both = sound;
  both.replace(32769, 5, "CD001");
  return {
      {"a raw disk", "accepted", image::test::raw_disk(100'000)},
      {"a raw disk with a boot sector", "accepted", boot},
      {"a raw disk of a byte", "accepted", "x"},
      {"a sound qcow2", "image-format-mismatch", sound},
      {"a qcow2 with a backing file", "image-backing-file", Qcow2{}.u64(8, 512).u32(16, 11).content()},
      {"qcow2 and ISO at once", "image-format-mismatch", both},
      {"a VHD by its footer", "image-format-unsupported", disk_with("conectix", 65536 - 512)},
      {"an old VHD by its footer", "image-format-unsupported", disk_with("conectix", 65536 - 511)},
      {"a dmg by its footer", "image-format-unsupported", disk_with("koly", 65536 - 512)},
      {"a VHD by its header", "image-format-unsupported", disk_with("conectix")},
      {"a VHDX", "image-format-unsupported", disk_with("vhdxfile")},
      {"a VDI", "image-format-unsupported", disk_with("\x7f\x10\xda\xbe", 64)},
      {"a QED", "image-format-unsupported", disk_with("QED\0"s)},
      {"Parallels", "image-format-unsupported", disk_with("WithoutFreeSpace")},
      {"Parallels, extended", "image-format-unsupported", disk_with("WithouFreSpacExt")},
      {"Bochs", "image-format-unsupported", disk_with("Bochs Virtual HD Image\0"s)},
      {"cloop", "image-format-unsupported", disk_with("#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0\n")},
      {"LUKS", "image-format-unsupported", disk_with("LUKS\xba\xbe\0\1"s)},
      {"an ISO", "image-format-mismatch", test::Iso{}.content()},
      {"an ISO of which there is only the mark", "image-header", disk_with("\1CD001\1", 32768)},
      {"UDF", "image-format-unsupported", disk_with("\0BEA01\1"s, 32768)},
      {"an ISO with a boot sector, for a stick", "image-format-mismatch",
       disk_with("\1CD001\1", 32768).replace(510, 2, "\x55\xaa")},
      {"a tar that is no OVA", "image-archive", disk_with("ustar", 257)},
      {"gzip", "image-format-unsupported", disk_with("\x1f\x8b\x08\0"s)},
      {"xz", "image-format-unsupported",
       disk_with("\xfd"
                 "7zXZ\0"s)},
      {"zstd", "image-format-unsupported", disk_with("\x28\xb5\x2f\xfd")},
      {"bzip2", "image-format-unsupported", disk_with("BZh9")},
      {"lz4", "image-format-unsupported", disk_with("\x04\x22\x4d\x18")},
      {"zip", "image-format-unsupported", disk_with("PK\x03\x04")},
      {"7z", "image-format-unsupported", disk_with("7z\xbc\xaf\x27\x1c")},
      {"a text VMDK that names a host's file (CVE-2022-47951)", "image-format-unsupported",
       disk_with("# Disk DescriptorFile\nversion=1\nCID=fffffffe\nRW 8 FLAT \"/etc/shadow\" 0\n")},
      {"the same in other case", "image-format-unsupported", disk_with("# disk descriptorFILE\r\n")},
      {"a text VMDK behind comments", "image-format-unsupported",
       disk_with("\n  \n# anything\n#\nversion=1\nRW 8 FLAT \"/etc/shadow\" 0\n")},
      {"a VMDK of an ESX host", "image-format-unsupported", disk_with("COWD\1\0\0\0"s)},
      {"a file of no bytes", "image-virtual-size", ""},
  };
}

std::string outcome_as(std::string_view content, std::string format) {
  return outcome_of(
      image::test::unpack_all(content, document::Compression::none, content.size(), std::move(format)).result);
}

}  // namespace

Table images() {
  Table table;
  auto const add = [&](std::string name, std::string expected, std::function<std::string()> outcome) {
    table.push_back({"image", std::move(name), std::move(expected), std::move(outcome)});
  };
  for (auto const& row : qcow2_rows()) {
    add("qcow2: "s + row.name, row.expected, [content = row.image.content()] { return outcome_as(content, "qcow2"); });
  }
  for (auto const& row : raw_rows()) {
    add("as raw: "s + row.name, row.expected, [content = row.content] { return outcome_as(content, "raw"); });
  }
  for (std::size_t const size : {4u, 71u, 103u, 600u}) {
    add("qcow2: cut off after " + std::to_string(size) + " bytes", size < 104 ? "image-truncated" : "image-table",
        [size] { return outcome_as(Qcow2{}.content().substr(0, size), "qcow2"); });
  }
  for (auto const& image : test::hostile_images()) {
    add(image.name, image.expected,
        [content = image.content] { return outcome_of(image::inspect(image::test::file_of(content), {})); });
  }
  add("as qcow2: a raw disk", "image-format-mismatch",
      [] { return outcome_as(image::test::raw_disk(100'000), "qcow2"); });
  return table;
}

}  // namespace imageswarm::attacks
