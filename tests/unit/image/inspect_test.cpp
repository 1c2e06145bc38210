#include "common/image/inspect.hpp"

#include <signal.h>
#include <unistd.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <vector>

#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using namespace std::string_literals;
using document::Compression;

namespace {

constexpr Compression all[] = {Compression::none, Compression::gzip, Compression::xz, Compression::zstd,
                               Compression::bzip2};
constexpr Compression real[] = {Compression::gzip, Compression::xz, Compression::zstd, Compression::bzip2};

/// The first child of this thread: the helper, while a sink runs.
pid_t helper() {
  std::ifstream children{"/proc/thread-self/children"};
  pid_t pid = -1;
  children >> pid;
  return pid;
}

std::string little_endian(std::uint32_t value, std::size_t size) {
  std::string text;
  for (; text.size() < size; value >>= 8) text.push_back(static_cast<char>(value & 0xff));
  return text;
}

/// A zstd frame with one stored block and a window of 2^log bytes.
std::string stored_zstd_frame(std::string_view content, int window_log) {
  auto const window = static_cast<char>((window_log - 10) << 3);
  return "\x28\xb5\x2f\xfd\0"s + window + little_endian(static_cast<std::uint32_t>(content.size() << 3 | 1), 3) +
         std::string{content};
}

}  // namespace

TEST_CASE("a file is inspected whatever the offset of its descriptor", "[image]") {
  auto const fd = file_of(Qcow2{}.content());
  auto const found = inspect(fd, {});
  REQUIRE(found);
  CHECK(found->disk_format == "qcow2");
  CHECK(found->virtual_size.value == Qcow2::disk_size);
  CHECK(::lseek(fd.get(), 0, SEEK_CUR) == static_cast<off_t>(Qcow2{}.content().size()));
}

TEST_CASE("the inspection of a file refuses what lies at its end", "[image]") {
  auto disk = raw_disk(1u << 20);
  CHECK(inspect(file_of(disk), {}));
  disk.replace(disk.size() - 512, 8, "conectix");
  CHECK(word_of(inspect(file_of(disk), {})) == "image-format-unsupported");
  CHECK(word_of(inspect(file_of(""), {})) == "image-virtual-size");
}

TEST_CASE("content of every compression comes out as it went in", "[image]") {
  // Around the sizes at which buffers end: the pieces (256 KiB) and the head (2 MiB).
  auto disks = std::vector{noise(1000000)};
  for (std::size_t const size : {1ul, 511ul, 262144ul, 2097151ul, 2097152ul, 2097153ul, 5000000ul}) {
    disks.push_back(raw_disk(size));
  }
  for (auto const& disk : disks) {
    for (auto const compression : all) {
      INFO(static_cast<int>(compression) << " " << disk.size());
      auto const [result, content] = unpack_all(compressed(compression, disk), compression, disk.size());
      REQUIRE(word_of(result) == "");
      CHECK(result->disk_format == "raw");
      CHECK(result->virtual_size.value == disk.size());
      CHECK((content == disk));
    }
  }
}

TEST_CASE("a compressed qcow2 is judged by its content", "[image]") {
  for (auto const compression : all) {
    auto const good = Qcow2{}.content();
    auto const found = unpack_all(compressed(compression, good), compression, good.size(), "qcow2").result;
    REQUIRE(word_of(found) == "");
    CHECK(found->virtual_size.value == Qcow2::disk_size);
  }
}

TEST_CASE("nothing reaches the sink before the verdict", "[image]") {
  auto bad = Qcow2{}.u64(8, 512).content();
  bad.resize(8u << 20);
  auto const good = Qcow2{}.content();
  for (auto const compression : all) {
    auto const refused = unpack_all(compressed(compression, bad), compression, bad.size(), "qcow2");
    CHECK(word_of(refused.result) == "image-backing-file");
    CHECK(refused.content.empty());
    auto const other = unpack_all(compressed(compression, good), compression, good.size(), "raw");
    CHECK(word_of(other.result) == "image-format-mismatch");
    CHECK(other.content.empty());
  }
}

TEST_CASE("a footer at the end of a stream fails it in the end", "[image]") {
  auto disk = raw_disk(5000000);
  disk.replace(disk.size() - 512, 8, "conectix");
  for (auto const compression : all) {
    auto const unpacked = unpack_all(compressed(compression, disk), compression, disk.size());
    CHECK(word_of(unpacked.result) == "image-format-unsupported");
  }
}

TEST_CASE("content of another size than the signed one is refused", "[image]") {
  auto const disk = raw_disk(3000000);
  for (auto const compression : real) {
    INFO(static_cast<int>(compression));
    auto const artefact = compressed(compression, disk);
    auto const longer = unpack_all(artefact, compression, disk.size() - 1);
    CHECK(word_of(longer.result) == "bomb");
    CHECK(longer.content.size() < disk.size());
    CHECK(word_of(unpack_all(artefact, compression, disk.size() + 1).result) == "image-truncated");
    CHECK(word_of(unpack_all(artefact, compression, 1).result) == "bomb");
  }
  CHECK(word_of(unpack_all(disk, Compression::none, disk.size() - 1).result) == "image-trailing-data");
  CHECK(word_of(unpack_all(disk, Compression::none, disk.size() + 1).result) == "image-truncated");
}

TEST_CASE("a bomb of a gibibyte stops at the promised size", "[image]") {
  std::string const zeros(1u << 20, '\0');
  std::string bomb;
  Compressor compressor{Compression::zstd, [&bomb](std::span<std::byte const> data) -> Result<> {
                          bomb.append(reinterpret_cast<char const*>(data.data()), data.size());
                          return {};
                        }};
  for (int i = 0; i < 1024; ++i) REQUIRE(compressor.update(bytes(zeros)));
  REQUIRE(compressor.finish());
  auto const [result, content] = unpack_all(bomb, Compression::zstd, 1u << 20);
  CHECK(word_of(result) == "bomb");
  CHECK(content.size() <= 1u << 20);
}

TEST_CASE("a stream that is cut off, damaged or followed by something is refused", "[image]") {
  auto const disk = noise(300000);
  for (auto const compression : real) {
    INFO(static_cast<int>(compression));
    auto const whole = compressed(compression, disk);
    for (std::size_t const size :
         {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{11}, whole.size() / 2, whole.size() - 1}) {
      INFO(size);
      CHECK(word_of(unpack_all(whole.substr(0, size), compression, disk.size()).result) == "image-truncated");
    }
    auto damaged = whole;
    damaged[whole.size() / 2] = static_cast<char>(~damaged[whole.size() / 2]);
    CHECK_FALSE(unpack_all(damaged, compression, disk.size()).result);  // damage may also make it longer: bomb
    auto wrong_sum = whole;
    auto const sum_at = compression == Compression::gzip ? whole.size() - 8 : whole.size() - 2;
    wrong_sum[sum_at] = static_cast<char>(~wrong_sum[sum_at]);
    CHECK(word_of(unpack_all(wrong_sum, compression, disk.size()).result) == "image-compression");
    for (auto const& tail : {"x"s, "\0"s, "\0\0\0\0"s, "something longer"s}) {
      CHECK(word_of(unpack_all(whole + tail, compression, disk.size()).result) == "image-trailing-data");
    }
    CHECK(word_of(unpack_all(disk, compression, disk.size()).result) == "image-compression");
  }
}

TEST_CASE("only zstd may have several frames, and none that are skipped", "[image]") {
  auto const disk = raw_disk(300000);
  auto const halves = [&disk](Compression compression) {
    return compressed(compression, disk.substr(0, 1000)) + compressed(compression, disk.substr(1000));
  };
  auto const two_frames = unpack_all(halves(Compression::zstd), Compression::zstd, disk.size());
  CHECK(word_of(two_frames.result) == "");
  CHECK((two_frames.content == disk));
  CHECK(word_of(unpack_all(halves(Compression::zstd), Compression::zstd, 1000).result) == "bomb");
  for (auto const compression : {Compression::gzip, Compression::xz, Compression::bzip2}) {
    CHECK(word_of(unpack_all(halves(compression), compression, disk.size()).result) == "image-trailing-data");
  }
  auto const frame = compressed(Compression::zstd, disk);
  auto const skippable = "\x50\x2a\x4d\x18\4\0\0\0abcd"s;
  CHECK(word_of(unpack_all(frame + skippable, Compression::zstd, disk.size()).result) == "image-trailing-data");
  CHECK(word_of(unpack_all(skippable + frame, Compression::zstd, disk.size()).result) == "image-compression");
}

TEST_CASE("gzip in gzip is unpacked once", "[image]") {
  auto const inner = compressed(Compression::gzip, raw_disk(1000));
  auto const outer = compressed(Compression::gzip, inner);
  CHECK(word_of(unpack_all(outer, Compression::gzip, inner.size()).result) == "image-format-unsupported");
}

TEST_CASE("a window or dictionary beyond 128 MiB is refused", "[image]") {
  auto const disk = raw_disk(1000);
  CHECK(word_of(unpack_all(stored_zstd_frame(disk, 27), Compression::zstd, disk.size()).result) == "");
  auto const wide = unpack_all(stored_zstd_frame(disk, 28), Compression::zstd, disk.size()).result;
  REQUIRE(word_of(wide) == "image-compression");
  CHECK_THAT(wide.error().what, Catch::Contains("too much memory"));

  // The dictionary of LZMA2 is one byte after the filter's ID and length in the block header, which ends in its CRC.
  auto xz = compressed(Compression::xz, disk);
  constexpr std::size_t block_header = 12;
  auto const size = (static_cast<std::size_t>(xz[block_header]) + 1) * 4;
  auto const filter = xz.find("\x21\x01"s, block_header);
  REQUIRE(filter < block_header + size);
  constexpr char dictionary_of_256_mib = 32;
  xz[filter + 2] = dictionary_of_256_mib;
  auto const sum = ::crc32(0, reinterpret_cast<Bytef const*>(xz.data() + block_header), static_cast<uInt>(size - 4));
  xz.replace(block_header + size - 4, 4, little_endian(static_cast<std::uint32_t>(sum), 4));
  auto const result = unpack_all(xz, Compression::xz, disk.size()).result;
  REQUIRE(word_of(result) == "image-compression");
  CHECK_THAT(result.error().what, Catch::Contains("128 MiB"));
}

TEST_CASE("a helper that is killed while it works is a refusal", "[image]") {
  auto const disk = raw_disk(8u << 20);
  auto const artefact = file_of(compressed(Compression::zstd, disk));
  auto const shoot = [](std::span<std::byte const>) -> Result<> {
    REQUIRE(::kill(helper(), SIGSEGV) == 0);
    return {};
  };
  auto const result = unpack(artefact, {Compression::zstd, {disk.size()}, "raw"}, shoot, {});
  REQUIRE(word_of(result) == "inspector-crash");
  CHECK_THAT(result.error().what, Catch::Contains("was killed by signal"));
}

TEST_CASE("an error of the sink stops the unpacking and is passed on", "[image]") {
  auto const disk = raw_disk(8u << 20);
  for (auto const compression : {Compression::none, Compression::zstd}) {
    int calls = 0;
    auto const full = [&calls](std::span<std::byte const>) -> Result<> {
      ++calls;
      return fail(Fault::disk_full, "no space");
    };
    auto const artefact = file_of(compressed(compression, disk));
    CHECK(word_of(unpack(artefact, {compression, {disk.size()}, "raw"}, full, {})) == "disk-full");
    CHECK(calls == 1);
    CHECK(helper() == -1);
  }
}

TEST_CASE("unpacking gives up when it is asked to stop", "[image]") {
  auto const disk = raw_disk(8u << 20);
  for (auto const compression : {Compression::none, Compression::zstd}) {
    std::stop_source stop;
    auto const ask = [&stop](std::span<std::byte const>) -> Result<> {
      stop.request_stop();
      return {};
    };
    auto const artefact = file_of(compressed(compression, disk));
    CHECK(word_of(unpack(artefact, {compression, {disk.size()}, "raw"}, ask, stop.get_token())) == "cancelled");
    CHECK(helper() == -1);
  }
}
