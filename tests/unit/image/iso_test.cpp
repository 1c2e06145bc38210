#include "common/image/iso.hpp"

#include <catch2/catch.hpp>

#include "common/image/formats.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using namespace std::string_literals;

namespace {

Result<Inspection> judge(Iso const& image) {
  MemoryContent content{image.content()};
  return image::judge(content);
}

}  // namespace

TEST_CASE("an ISO 9660 volume is accepted as it is", "[image][iso]") {
  auto const found = judge(Iso{});
  REQUIRE(word_of(found) == "");
  CHECK(found->disk_format == "iso");
  CHECK(found->virtual_size.value == 20 * Iso::block);
  CHECK(judge(Iso{}
                  .text(Iso::terminator, "\0CD001\1"s)
                  .text(18 * Iso::block,
                        "\xff"
                        "CD001\1")));           // bootable
  CHECK(judge(Iso{}.resize(30 * Iso::block)));  // padded
}

TEST_CASE("every rule for ISO 9660 refuses with its word", "[image][iso]") {
  struct {
    std::string name;
    Iso image;
    std::string expected;
  } const attacks[] = {
      {"hybrid with an MBR", Iso{}.text(510, "\x55\xaa"), "image-format-mismatch"},
      {"hybrid with a GPT", Iso{}.text(512, "EFI PART"), "image-format-mismatch"},
      {"hybrid with Apple's driver map", Iso{}.text(0, "ER\2\0"s), "image-format-mismatch"},
      {"hybrid with Apple's partition map", Iso{}.text(512, "PM\0\0"s), "image-format-mismatch"},
      {"hybrid with a qcow2", Iso{}.text(0, "QFI\xfb\0\0\0\3"s), "image-format-mismatch"},
      {"hybrid with a VMDK", Iso{}.text(0, "KDMV"), "image-format-mismatch"},
      {"hybrid with a tar", Iso{}.text(257, "ustar"), "image-format-mismatch"},
      {"no primary descriptor first", Iso{}.text(Iso::primary, "\2"), "image-header"},
      {"no terminator", Iso{}.text(Iso::terminator, "\0\0"s), "image-header"},
      {"more blocks than bytes", Iso{}.blocks(21), "image-truncated"},
      {"blocks that wrap around", Iso{}.blocks((1u << 21) + 1), "image-truncated"},
      {"another descriptor for ever", Iso{}.text(Iso::terminator, "\0"s), "image-header"},
      {"blocks of all bits", Iso{}.blocks(UINT32_MAX), "image-truncated"},
      {"no blocks", Iso{}.blocks(0), "image-header"},
      {"sizes that contradict each other", Iso{}.little(Iso::primary + 80, 19, 4), "image-header"},
      {"block sizes that contradict each other", Iso{}.little(Iso::primary + 128, 512, 2), "image-header"},
      {"another block size", Iso{}.little(Iso::primary + 128, 512, 2).big(Iso::primary + 130, 512, 2), "image-header"},
      {"cut off in its header", Iso{}.resize(Iso::terminator), "image-truncated"},
  };
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.image)) == attack.expected);
  }
}
