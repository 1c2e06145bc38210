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
