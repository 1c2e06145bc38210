#include "common/image/compress.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using document::Compression;

TEST_CASE("small updates make the same stream as a large one", "[image][compress]") {
  auto const disk = raw_disk(700000);
  for (auto const format :
       {Compression::none, Compression::gzip, Compression::xz, Compression::zstd, Compression::bzip2}) {
    std::string artefact;
    Compressor compressor{format, [&artefact](std::span<std::byte const> data) -> Result<> {
                            artefact.append(reinterpret_cast<char const*>(data.data()), data.size());
                            return {};
                          }};
    for (std::size_t at = 0, size = 1; at < disk.size(); at += size, size = size % 4999 * 3 + 1) {
      REQUIRE(compressor.update(bytes(disk).subspan(at, std::min(size, disk.size() - at))));
    }
    REQUIRE(compressor.finish());
    CHECK((unpack_all(artefact, format, disk.size()).content == disk));
    if (format != Compression::none) CHECK(artefact.size() < disk.size() * 3 / 4);
  }
}

TEST_CASE("an error of the output ends the compression", "[image][compress]") {
  for (auto const format :
       {Compression::none, Compression::gzip, Compression::xz, Compression::zstd, Compression::bzip2}) {
    Compressor compressor{format,
                          [](std::span<std::byte const>) -> Result<> { return fail(Fault::disk_full, "no space"); }};
    auto result = compressor.update(bytes(raw_disk(100000)));
    if (result) result = compressor.finish();
    CHECK(word_of(result) == "disk-full");
  }
}

TEST_CASE("a file's ending tells its compression", "[image][compress]") {
  CHECK(extension_of(Compression::none) == "");
  CHECK(extension_of(Compression::gzip) == ".gz");
  CHECK(extension_of(Compression::xz) == ".xz");
  CHECK(extension_of(Compression::zstd) == ".zst");
  CHECK(extension_of(Compression::bzip2) == ".bz2");
}
