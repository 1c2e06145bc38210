#include "daemon/flow/chunk_files.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/digest.hpp"
#include "daemon/flow/artefact.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::flow {
namespace {

namespace fs = std::filesystem;

/// Chunks "aaa…", "bbb…" of different lengths.
class Example {
public:
  Example() {
    fs::create_directory(path());
    for (std::uint32_t i = 0; i < 3; ++i) {
      std::string const content(1000 + 700 * i, static_cast<char>('a' + i));
      write(i, content);
      whole += content;
    }
    image.torrent.chunks = document::Chunks{64_KiB, 3};
    image.torrent.content_size = {whole.size()};
    image.torrent.content_sha256 = digest_of<Sha256>(whole);
  }
  void write(std::uint32_t index, std::string const& content) const {
    std::ofstream{path() / document::chunk_name(index)} << content;
  }
  fs::path path() const { return directory_ / "disk.chunks"; }
  Result<VerifiedArtefact> verify(std::stop_token const& stop = {}) const {
    return verify_artefact(path(), image, stop);
  }
  Fault refusal() const {
    auto const verified = verify();
    REQUIRE_FALSE(verified);
    return verified.error().fault;
  }

  document::Image image;
  std::string whole;

private:
  test::TemporaryDirectory directory_;
};

std::string text_of(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

TEST_CASE("chunks are read as the row of bytes that they are, from any place and over their ends", "[flow]") {
  Example const example;
  auto const files = ChunkFiles::open(example.path(), *example.image.torrent.chunks);
  REQUIRE(files);
  CHECK(files->size().value == example.whole.size());
  std::string all;
  REQUIRE(files->read_all([&all](std::span<std::byte const> part) { all += text_of(part); }, {}));
  CHECK((all == example.whole));
  ChunkFiles::Reader reader{*files};
  for (std::size_t const at : {2600u, 0u, 999u, 1000u, 2699u, 5099u, 900u}) {
    CAPTURE(at);
    std::vector<std::byte> part(std::min<std::size_t>(2000, example.whole.size() - at));
    REQUIRE(reader.read(at, part));
    CHECK((text_of(part) == example.whole.substr(at, part.size())));
  }
}

TEST_CASE("chunks are verified as a whole", "[flow]") {
  Example example;
  auto const verified = example.verify();
  REQUIRE(verified);
  CHECK(verified->chunks());
  std::stop_source stop;
  stop.request_stop();
  CHECK(example.verify(stop.get_token()).error().fault == Fault::cancelled);
  SECTION("a changed byte") {
    example.write(1, std::string(1699, 'b') + 'x');
    CHECK(example.refusal() == Fault::hash_mismatch);
  }
  SECTION("a byte more") {
    example.write(1, std::string(1701, 'b'));
    CHECK(example.refusal() == Fault::hash_mismatch);
  }
  SECTION("a byte that moved into the next chunk, which is the same row of bytes") {
    example.write(0, std::string(999, 'a'));
    example.write(1, "a" + std::string(1700, 'b'));
    CHECK(example.verify());
  }
  SECTION("a missing chunk") {
    fs::remove(example.path() / "000002.zst");
    CHECK(example.refusal() == Fault::not_found);
  }
  SECTION("a link in place of a chunk") {
    fs::rename(example.path() / "000001.zst", example.path() / "elsewhere");
    fs::create_symlink("elsewhere", example.path() / "000001.zst");
    CHECK(example.refusal() == Fault::disk_error);
  }
  SECTION("a link in place of the directory") {
    auto const moved = example.path().parent_path() / "moved";
    fs::rename(example.path(), moved);
    fs::create_directory_symlink(moved, example.path());
    CHECK(example.refusal() == Fault::not_found);
  }
  SECTION("a directory in place of a chunk") {
    fs::remove(example.path() / "000001.zst");
    fs::create_directory(example.path() / "000001.zst");
    CHECK(example.refusal() == Fault::disk_error);
  }
}

}  // namespace
}  // namespace imageswarm::flow
