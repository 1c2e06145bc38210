#include "common/image/qcow2_disk.hpp"

#include <stdlib.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "common/image/formats.hpp"
#include "common/image/inspector_process.hpp"
#include "tests/support/disks.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;

namespace {

constexpr std::size_t cluster = 65536, l1 = 3 * cluster, l2 = 4 * cluster, data = 5 * cluster;
constexpr std::uint64_t packed = 1ull << 62, in_use = 1ull << 63;

/// A qcow2 with one L2 table, to be filled, and a cluster of data behind it.
imageswarm::test::Qcow2 filled() {
  imageswarm::test::Qcow2 disk;
  disk.resize(6 * cluster);
  disk.u64(l1, l2 | in_use);
  disk.text(data, std::string(cluster, 'd'));
  return disk;
}

std::string deflated(std::string const& content) {
  std::string out(content.size() + 1000, '\0');
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::uint64_t packed_at(std::uint64_t offset, std::uint64_t sectors) {
  constexpr int offset_bits = 62 - (16 - 8);
  return packed | (sectors - 1) << offset_bits | offset;
}

struct Found {
  ByteCount announced;
  std::map<std::uint64_t, std::string> extents;
};

Result<Found> read(std::string const& image) {
  MemoryContent content{image};
  auto const judged = judge(content);
  if (!judged) return fail(judged.error());
  auto const head = read_part(content, 0, std::min<std::uint64_t>(head_size.value, image.size())).value();
  Qcow2Disk disk{head, content};
  Found found;
  auto const announced = disk.data();
  if (!announced) return fail(announced.error());
  found.announced = *announced;
  auto const done = disk.read([&](std::uint64_t offset, std::span<std::byte const> bytes) -> Result<> {
    found.extents[offset] = {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    return {};
  });
  if (!done) return fail(done.error());
  return found;
}

}  // namespace

TEST_CASE("a disk of nothing has no extents", "[image][qcow2]") {
  auto const found = read(imageswarm::test::Qcow2{});
  REQUIRE(found);
  CHECK(found->extents.empty());
  CHECK(found->announced.value == 0);
}

TEST_CASE("data comes from where the tables say, and zeros are left out", "[image][qcow2]") {
  auto disk = filled();
  disk.u64(l2 + 8, data | in_use);  // the second cluster
  disk.u64(l2 + 16, data | 1);      // zeros, though it has a place
  disk.u64(l2 + 24, 1);             // zeros
  auto const found = read(disk);
  REQUIRE(found);
  REQUIRE(found->extents.size() == 1);
  CHECK(found->extents.at(cluster) == std::string(cluster, 'd'));
  CHECK(found->announced.value == cluster);
}

TEST_CASE("a packed cluster is unpacked, also where others follow in its last sector", "[image][qcow2]") {
  std::string content(cluster, 'p');
  content.replace(100, 5, "packs");
  auto const small = deflated(content);
  auto disk = filled();
  disk.text(data + 300, small);
  disk.u64(l2, packed_at(data + 300, (300 + small.size() + 511) / 512));
  auto const found = read(disk);
  REQUIRE(found);
  CHECK(found->extents.at(0) == content);
  disk.text(data + 300, "\xff\xff\xff\xff");
  CHECK(word_of(read(disk)) == "image-compression");
}

TEST_CASE("the last cluster ends with the disk, and what is behind the end of the file is zeros", "[image][qcow2]") {
  auto disk = filled();
  disk.u64(24, cluster + 1000).u64(l2 + 8, data);
  disk.resize(data + 10);
  auto const found = read(disk);
  REQUIRE(found);
  CHECK(found->extents.at(cluster) == std::string(10, 'd') + std::string(990, '\0'));
}

TEST_CASE("tables and clusters that cannot be where they are said to be are refused", "[image][qcow2]") {
  auto const broken = GENERATE(as<std::string>{}, filled().u64(l1, l2 + 512), filled().u64(l1, 600 * cluster),
                               filled().u64(l2, data + 512), filled().u64(l2, packed_at(600 * cluster, 1)),
                               filled().u32(4, 2).u64(l2, data | 1));
  CHECK(word_of(read(broken)) == "image-table");
}

namespace {

Result<Inspection> run_fake(std::string const& script) {
  char pattern[] = "/tmp/imageswarm-test.XXXXXX";
  std::filesystem::path const directory = ::mkdtemp(pattern);
  REQUIRE(write_file_atomically(directory / "helper", "#!/bin/sh\n" + script + "\n", 0755));
  auto const found = run_disk_reader(
      {directory / "helper", document::Compression::none, {100}, {100}, std::chrono::seconds{60}}, file_of("image"),
      [](Inspection const&, ByteCount) { return Result<>{}; },
      [](std::uint64_t, std::span<std::byte const>) { return Result<>{}; }, {});
  std::filesystem::remove_all(directory);
  return found;
}

/// An extent of this offset, with one byte, as a printf format.
std::string extent(int offset) {
  return fmt::format("\\\\{:03o}\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\001\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0x",
                     offset);
}

}  // namespace

TEST_CASE("a helper that lies about a disk is caught", "[image][process]") {
  auto const with = [](std::string const& extents, int announced = 5) {
    return run_fake(fmt::format(R"(printf "image qcow2 bare 9 unknown\ndata {}\n" >&3; printf "{}"; echo end >&3)",
                                announced, extents));
  };
  CHECK(word_of(with(extent(0) + extent(8))) == "");
  CHECK(word_of(with(extent(8) + extent(0))) == "inspector-crash");
  CHECK(word_of(with(extent(8) + extent(8))) == "inspector-crash");
  CHECK(word_of(with(extent(9))) == "inspector-crash");
  CHECK(word_of(with(extent(0) + extent(8), 1)) == "inspector-crash");
  CHECK(word_of(with(extent(0) + "half")) == "inspector-crash");
  CHECK(word_of(run_fake(R"(printf "image qcow2 bare 9 unknown\nend\n" >&3)")) == "inspector-crash");
}
