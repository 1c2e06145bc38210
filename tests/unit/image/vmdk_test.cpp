#include "common/image/vmdk.hpp"

#include <catch2/catch.hpp>

#include "common/image/formats.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;

namespace {

Result<Inspection> judge(Vmdk const& image) {
  MemoryContent content{image.content()};
  return image::judge(content);
}

constexpr auto footed = Vmdk::Kind::stream_with_footer;
constexpr std::size_t at = Vmdk::footer;

}  // namespace

TEST_CASE("a sound VMDK of one file is accepted with the size of its disk", "[image][vmdk]") {
  for (auto const kind : {Vmdk::Kind::sparse, Vmdk::Kind::stream, footed}) {
    auto const found = judge(Vmdk{kind});
    REQUIRE(word_of(found) == "");
    CHECK(found->disk_format == "vmdk");
    CHECK(found->virtual_size.value == Vmdk::disk_size);
  }
}

TEST_CASE("what is harmless in a VMDK is accepted", "[image][vmdk]") {
  CHECK(judge(Vmdk{}.u32(4, 2).u32(8, 7).u32(Vmdk::table, 1)));                 // zeroed grains
  CHECK(judge(Vmdk{}.u32(8, 1).u64(48, UINT64_MAX)));                           // no second directory
  CHECK(judge(Vmdk{}.u32(Vmdk::directory, 0).u32(Vmdk::second_directory, 0)));  // an empty disk
  CHECK(judge(Vmdk{}.describe("RW 20480", "RDONLY 20480")));                    // what ovftool writes
  CHECK(judge(Vmdk{}.describe("CID=b227fbf6", "CID=7b")));                      // without leading zeros
  CHECK(judge(Vmdk{}.describe("\n\n", "\r\nencoding=\"UTF-8\"\r\n")));          //
  CHECK(judge(Vmdk{}.describe("disk.vmdk", "a disk of another name, 7 (copy).vmdk")));
  CHECK(judge(Vmdk{}.describe("ddb.adapterType = \"ide\"", "DDB.adapterType=\"lsilogic\"")));
}

TEST_CASE("every rule for VMDK refuses with its word", "[image][vmdk]") {
  struct {
    std::string name;
    Vmdk image;
    std::string expected;
  } const attacks[] = {
      {"version 0", Vmdk{}.u32(4, 0), "image-header"},
      {"version 4", Vmdk{}.u32(4, 4), "image-header"},
      {"line ends changed by a transfer as text", Vmdk{}.text(73, "\n \n\n"), "image-header"},
      {"something after the header", Vmdk{}.text(511, "x"), "image-header"},
      {"tables of another size", Vmdk{}.u32(44, 511), "image-header"},
      {"tables of no entries", Vmdk{}.u32(44, 0), "image-header"},
      {"grains of no size", Vmdk{}.u64(20, 0), "image-header"},
      {"grains of 96 KiB", Vmdk{}.u64(20, 192), "image-header"},
      {"grains too small", Vmdk{}.u64(20, 4), "image-header"},
      {"grains too large", Vmdk{}.u64(20, 1ull << 32), "image-header"},
      {"unknown flag", Vmdk{}.u32(8, 0x40003), "image-feature"},
      {"packed without an algorithm", Vmdk{}.u32(8, 0x10003), "image-feature"},
      {"an algorithm without being packed", Vmdk{}.little(77, 1, 2), "image-feature"},
      {"unknown algorithm", Vmdk{Vmdk::Kind::stream}.little(77, 2, 2), "image-feature"},
      {"not closed", Vmdk{}.text(72, "\1"), "image-corrupt"},
      {"no sectors: qemu takes it for a list of files", Vmdk{}.u64(12, 0), "image-virtual-size"},
      {"more sectors than allowed", Vmdk{}.u64(12, (64ull << 40) / 512 + 1), "image-virtual-size"},
      {"sectors of all bits", Vmdk{}.u64(12, UINT64_MAX), "image-virtual-size"},
      {"descriptor elsewhere", Vmdk{}.u64(28, 2), "image-descriptor"},
      {"no descriptor", Vmdk{}.u64(28, 0).u64(36, 0), "image-descriptor"},
      {"huge descriptor", Vmdk{}.u64(36, 2048), "image-descriptor"},
      {"descriptor beyond the file", Vmdk{}.u64(36, 2000), "image-truncated"},
      {"another size in the descriptor", Vmdk{}.describe("20480", "20481"), "image-extent"},
      {"another type in the descriptor", Vmdk{}.describe("monolithicSparse", "streamOptimized"), "image-descriptor"},
      {"directory outside", Vmdk{}.u64(56, 256), "image-table"},
      {"directory that wraps around", Vmdk{}.u64(56, UINT64_MAX - 1), "image-table"},
      {"directory over the header", Vmdk{}.u64(56, 0), "image-table"},
      {"directory over the descriptor", Vmdk{}.u64(56, 20), "image-table"},
      {"directories over each other", Vmdk{}.u64(48, 26), "image-table"},
      {"second directory outside", Vmdk{}.u64(48, 1000), "image-table"},
      {"directory that ends outside", Vmdk{}.u64(12, 1ull << 33).describe("20480", "8589934592").u64(56, 255),
       "image-table"},
      {"table outside", Vmdk{}.u32(Vmdk::directory, 253), "image-table"},
      {"table over the descriptor", Vmdk{}.u32(Vmdk::directory, 1), "image-table"},
      {"second table over the descriptor", Vmdk{}.u32(Vmdk::second_directory, 1), "image-table"},
      {"tables over each other", Vmdk{}.u32(Vmdk::directory, 25), "image-table"},
      {"grain outside", Vmdk{}.u32(Vmdk::table + 4, 129), "image-table"},
      {"grain of all bits", Vmdk{}.u32(Vmdk::table + 4, UINT32_MAX), "image-table"},
      {"grain over the descriptor", Vmdk{}.u32(Vmdk::table + 4, 1), "image-table"},
      {"grain over a table", Vmdk{}.u32(Vmdk::table + 2044, 30), "image-table"},
      {"grain that runs into a table", Vmdk{}.u32(Vmdk::second_table, 20), "image-table"},
      {"packed grain outside", Vmdk{Vmdk::Kind::stream}.u32(Vmdk::table + 4, 256), "image-table"},
      {"footer of another version", Vmdk{footed}.u32(at + 4, 2), "image-header"},
      {"footer with other flags", Vmdk{footed}.u32(at + 8, 3), "image-header"},
      {"footer of another disk", Vmdk{footed}.u64(at + 12, 0), "image-header"},
      {"footer with another descriptor", Vmdk{footed}.u64(at + 28, 100), "image-header"},
      {"footer with something after it", Vmdk{footed}.text(at + 511, "x"), "image-header"},
      {"footer without its marker", Vmdk{footed}.u32(at - 512 + 12, 2), "image-header"},
      {"footer without the end", Vmdk{footed}.u32(at + 512 + 12, 1), "image-header"},
      {"footer that promises another", Vmdk{footed}.u64(at + 56, UINT64_MAX), "image-table"},
      {"footer that names itself as directory", Vmdk{footed}.u64(at + 56, at / 512), "image-table"},
      {"packed grain in the footer", Vmdk{footed}.u32(Vmdk::table + 4, at / 512), "image-table"},
      {"no footer", Vmdk{Vmdk::Kind::stream}.u64(56, UINT64_MAX), "image-header"},
      {"part of a sector after the footer", Vmdk{footed}.resize(at + 1024 + 7), "image-truncated"},
  };
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.image)) == attack.expected);
  }
}

TEST_CASE("every line of a VMDK's descriptor is understood, or it is refused", "[image][vmdk]") {
  auto const added = [](std::string const& line) { return Vmdk{}.describe("\n\n", "\n" + line + "\n"); };
  struct {
    std::string name;
    Vmdk image;
    std::string expected;
  } const attacks[] = {
      {"a parent", Vmdk{}.describe("ffffffff", "12345678"), "image-backing-file"},
      {"a parent's name", added("parentFileNameHint=\"/etc/shadow\""), "image-backing-file"},
      {"a parent's name in a comment, where qemu finds it", added("# parentFileNameHint=\"/etc/shadow\""),
       "image-backing-file"},
      {"a parent's name in a value", added("ddb.uuid = \"parentFileNameHint\""), "image-backing-file"},
      {"a second extent", added("RW 8 SPARSE \"other.vmdk\""), "image-extent"},
      {"a flat extent", Vmdk{}.describe("SPARSE", "FLAT"), "image-extent"},
      {"an extent with an offset", Vmdk{}.describe("disk.vmdk\"", "disk.vmdk\" 0"), "image-extent"},
      {"an extent elsewhere", Vmdk{}.describe("disk.vmdk", "/etc/shadow"), "image-extent"},
      {"an extent above", Vmdk{}.describe("disk.vmdk", "..\\\\disk.vmdk"), "image-extent"},
      {"an extent without a name", Vmdk{}.describe("disk.vmdk", ""), "image-extent"},
      {"an extent with two names", Vmdk{}.describe("disk.vmdk", "a\" \"b"), "image-extent"},
      {"an extent of no size", Vmdk{}.describe("20480", "0"), "image-extent"},
      {"an extent of negative size", Vmdk{}.describe("20480", "-1"), "image-extent"},
      {"no extent", Vmdk{}.describe("RW 20480 SPARSE \"disk.vmdk\"", ""), "image-extent"},
      {"a device", Vmdk{}.describe("RW 20480 SPARSE \"disk.vmdk\"", "RW 20480 VMFSRDM \"sda\""), "image-extent"},
      {"access that nobody knows", Vmdk{}.describe("RW 20480", "NOACCESS 20480"), "image-descriptor"},
      {"tracking of changes in another file", added("changeTrackPath=\"/tmp/x\""), "image-descriptor"},
      {"an unknown entry of the data base", added("ddb.nativeParentHint = \"x\""), "image-descriptor"},
      {"an unknown comment", added("# CID=0"), "image-descriptor"},
      {"a word", added("hello"), "image-descriptor"},
      {"flat all in one", Vmdk{}.describe("monolithicSparse", "monolithicFlat"), "image-descriptor"},
      {"the type twice", added("createType=\"monolithicSparse\""), "image-descriptor"},
      {"the type without quotes", Vmdk{}.describe("\"monolithicSparse\"", "monolithicSparse"), "image-descriptor"},
      {"no CID", Vmdk{}.describe("CID=b227fbf6", ""), "image-descriptor"},
      {"no parent CID", Vmdk{}.describe("parentCID=ffffffff", ""), "image-descriptor"},
      {"another version", Vmdk{}.describe("version=1", "version=9"), "image-descriptor"},
      {"a snapshot", added("isNativeSnapshot=\"yes\""), "image-descriptor"},
      {"a value that goes on", added("ddb.uuid = \"1\" = \"2\""), "image-descriptor"},
      {"something behind the end", Vmdk{}.text(20 * 512, "RW 8 FLAT \"/etc/shadow\" 0\n"), "image-descriptor"},
      {"a descriptor without an end", Vmdk{}.descriptor(std::string(20 * 512, '\n')), "image-descriptor"},
  };
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.image)) == attack.expected);
  }
}

TEST_CASE("a VMDK that ends anywhere is refused", "[image][vmdk]") {
  auto const whole = Vmdk{}.content();
  for (std::size_t size = 4; size < whole.size(); size += size < 1024 ? 1 : 509) {
    INFO(size);
    MemoryContent cut{whole.substr(0, size)};
    CHECK_FALSE(image::judge(cut));
  }
}

TEST_CASE("a VMDK is judged in packed content before its first byte comes out", "[image][vmdk]") {
  auto const good = Vmdk{footed}.content();
  auto const bad = Vmdk{footed}.u32(at + 4, 2).content();
  for (auto const packing : {document::Compression::none, document::Compression::gzip, document::Compression::zstd}) {
    auto const accepted = unpack_all(compressed(packing, good), packing, good.size(), "vmdk");
    CHECK(word_of(accepted.result) == "");
    CHECK((accepted.content == good));
    auto const refused = unpack_all(compressed(packing, bad), packing, bad.size(), "vmdk");
    CHECK(word_of(refused.result) == "image-header");
    CHECK(refused.content.empty());
  }
}
