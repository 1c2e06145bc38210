#include "common/image/content.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using document::Compression;

namespace {

std::string text_at(Content& content, std::uint64_t offset, std::uint64_t size) {
  auto const part = read_part(content, offset, size);
  REQUIRE(word_of(part) == "");
  return {reinterpret_cast<char const*>(part->data()), part->size()};
}

}  // namespace

TEST_CASE("content is read in any order, packed or not", "[image][content]") {
  auto const disk = raw_disk(1000000);
  auto const plain = file_of(disk);
  auto const packed = file_of(compressed(Compression::gzip, disk));
  FileContent file{plain.get(), {disk.size()}};
  UnpackedContent unpacked{packed.get(), *size_of(packed), Compression::gzip, {disk.size()}};
  for (Content* content : {static_cast<Content*>(&file), static_cast<Content*>(&unpacked)}) {
    for (std::size_t const offset : {999000u, 0u, 500000u, 500100u, 499999u}) {
      INFO(offset);
      CHECK(text_at(*content, offset, 1000) == disk.substr(offset, 1000));
    }
    CHECK(word_of(read_part(*content, 999999, 2)) == "image-truncated");
    CHECK(word_of(read_part(*content, UINT64_MAX, 1)) == "image-truncated");
  }
}

TEST_CASE("who reads to the end of packed content learns whether it is the end", "[image][content]") {
  auto const packed = file_of(compressed(Compression::xz, raw_disk(1000)));
  UnpackedContent longer{packed.get(), *size_of(packed), Compression::xz, {999}};
  CHECK(read_part(longer, 0, 998));
  CHECK(word_of(read_part(longer, 998, 1)) == "bomb");
  UnpackedContent shorter{packed.get(), *size_of(packed), Compression::xz, {1001}};
  CHECK(word_of(read_part(shorter, 1000, 1)) == "image-truncated");
}

TEST_CASE("packed content is unpacked again only so often", "[image][content]") {
  auto const packed = file_of(compressed(Compression::zstd, raw_disk(1000)));
  UnpackedContent content{packed.get(), *size_of(packed), Compression::zstd, {1000}};
  for (int i = 0; i < 32; ++i) REQUIRE(read_part(content, 0, 1));
  CHECK(word_of(read_part(content, 0, 1)) == "image-compression");
}
