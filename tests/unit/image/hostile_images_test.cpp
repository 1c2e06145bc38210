#include "tests/support/hostile_images.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using imageswarm::test::hostile_images;

namespace {

std::string outcome(Result<Inspection> const& result) {
  return result ? "accepted" : word_of(result);
}

}  // namespace

TEST_CASE("every hostile image is refused with its word in place, and packed too", "[image][hostile]") {
  std::set<std::string> names;
  for (auto const& image : hostile_images()) {
    INFO(image.name);
    CHECK(names.insert(image.name).second);
    auto const in_place = inspect(file_of(image.content), {});
    CHECK(outcome(in_place) == image.expected);
    auto const declared =
        in_place.value_or(Inspection{"vmdk", "bare", {}});  // what is refused is so whatever it claims
    auto const packed = unpack_all(compressed(document::Compression::zstd, image.content), document::Compression::zstd,
                                   image.content.size(), declared.disk_format, declared.container_format);
    CHECK(packed.result.has_value() == in_place.has_value());
  }
}
