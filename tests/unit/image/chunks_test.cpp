// An artefact of many chunks: each is packed by itself, and the helper asks for the bytes of them all in a row.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/image/compress.hpp"
#include "common/image/inspect.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace std::string_literals;

namespace {

constexpr std::size_t chunk_size = 1u << 20;

std::string packed(std::string_view content) {
  auto const chunk = pack_chunk(bytes(content));
  REQUIRE(chunk);
  return {reinterpret_cast<char const*>(chunk->data()), chunk->size()};
}

std::vector<std::string> chunks_of(std::string const& content) {
  std::vector<std::string> chunks;
  for (std::size_t at = 0; at < content.size(); at += chunk_size)
    chunks.push_back(packed(content.substr(at, chunk_size)));
  return chunks;
}

/// The row of all bytes, served as it is asked for.
Unpacked unpack_chunks(std::vector<std::string> const& chunks, std::uint64_t content_size, std::string format = "raw") {
  std::string row, content;
  for (auto const& chunk : chunks) row += chunk;
  auto const read = [&row](std::uint64_t offset, std::span<std::byte> out, std::stop_token const&) -> Result<> {
    std::ranges::copy(bytes(row).subspan(offset, out.size()), out.begin());
    return {};
  };
  auto const sink = [&content](std::span<std::byte const> data) -> Result<> {
    content.append(reinterpret_cast<char const*>(data.data()), data.size());
    return {};
  };
  auto result = unpack(read, {row.size()}, {document::Compression::zstd, {content_size}, std::move(format)}, sink, {});
  return {std::move(result), std::move(content)};
}

}  // namespace

TEST_CASE("chunks are packed in the same way every time, and know their size", "[image]") {
  auto const content = raw_disk(chunk_size);
  auto const once = packed(content);
  CHECK(packed(content) == once);
  CHECK((once[4] & 0b0000'0100) != 0);  // RFC 8878, frame header descriptor: a checksum follows
  CHECK((once[4] & 0b1110'0000) != 0);  // and the content's size is given, in one segment
  CHECK(packed(std::string(4 * chunk_size, '\0')).size() < 1000);
}

TEST_CASE("chunks in a row are the image", "[image]") {
  auto const disk = raw_disk(5 * chunk_size + 777);
  auto const [result, content] = unpack_chunks(chunks_of(disk), disk.size());
  CHECK(word_of(result) == "");
  CHECK((content == disk));
  imageswarm::test::Qcow2 const qcow2;
  auto const judged = unpack_chunks(chunks_of(qcow2.content()), qcow2.content().size(), "qcow2");
  CHECK(word_of(judged.result) == "");
  CHECK((judged.content == qcow2.content()));
}

TEST_CASE("chunks that are not the promised content are refused", "[image]") {
  auto const disk = raw_disk(3 * chunk_size);
  auto const good = chunks_of(disk);
  auto const word_with = [&](std::size_t index, std::string chunk) {
    auto chunks = good;
    chunks[index] = std::move(chunk);
    return word_of(unpack_chunks(chunks, disk.size()).result);
  };
  CHECK(word_with(1, good[1]) == "");
  CHECK(word_with(1, packed(disk.substr(chunk_size, chunk_size + 512))) == "bomb");
  CHECK(word_with(1, packed(disk.substr(chunk_size, chunk_size - 512))) == "image-truncated");
  CHECK(word_with(2, good[2] + "x") == "image-trailing-data");
  CHECK(word_with(1, good[1] + "x") == "image-trailing-data");
  CHECK(word_with(1, good[1].substr(0, good[1].size() - 1)) == "image-compression");
  CHECK(word_with(2, good[2].substr(0, good[2].size() - 1)) == "image-truncated");
  CHECK(word_with(1, "\x50\x2a\x4d\x18\4\0\0\0abcd"s + good[1]) == "image-trailing-data");
  CHECK(word_with(1, compressed(document::Compression::gzip, disk.substr(chunk_size, chunk_size))) ==
        "image-trailing-data");
  CHECK(word_with(1, packed(std::string(1u << 30, '\0'))) == "bomb");
}

TEST_CASE("what cannot be read of an artefact is told as that, and not as a broken image", "[image]") {
  auto const disk = raw_disk(chunk_size);
  auto const row = packed(disk);
  auto const read = [](std::uint64_t, std::span<std::byte>, std::stop_token const&) -> Result<> {
    return fail(Fault::disk_error, "no disk");
  };
  auto const sink = [](std::span<std::byte const>) { return Result<>{}; };
  auto const result = unpack(read, {row.size()}, {document::Compression::zstd, {disk.size()}, "raw"}, sink, {});
  REQUIRE_FALSE(result);
  CHECK(result.error().what == "no disk");
}
