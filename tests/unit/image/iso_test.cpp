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
