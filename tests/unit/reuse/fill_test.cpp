#include "daemon/reuse/fill.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "daemon/reuse/sources.hpp"
#include "tests/support/sample_torrent.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace imageswarm;
namespace fs = std::filesystem;

namespace {

constexpr auto piece = 64_KiB;
constexpr std::size_t one = ByteCount{piece}.value;

std::string content_at(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write(fs::path const& path, std::string_view content) {
  std::ofstream{path, std::ios::binary} << content;
}

std::uint64_t allocated(fs::path const& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

/// An old version on the disk, and a directory for the new one.
class Host {
public:
  explicit Host(std::string old) : old_content_{std::move(old)} {
    fs::create_directory(new_directory());
    write(old_path(), old_content_);
  }

  fs::path old_path() const { return directory_ / "old.img"; }
  fs::path new_directory() const { return directory_ / "new"; }
  fs::path new_path() const { return new_directory() / "disk.img"; }

  Result<reuse::Filled> try_fill(std::string const& wanted, std::stop_token const& stop = {}) const {
    return try_fill_in(new_directory(), wanted, stop);
  }
  Result<reuse::Filled> try_fill_in(fs::path const& directory, std::string const& wanted,
                                    std::stop_token const& stop = {}) const {
    auto const hashes = torrent::piece_hashes_of(test::torrent_of(wanted, piece).admitted());
    auto const old = torrent::piece_hashes_of(test::torrent_of(old_content_, piece).admitted());
    return reuse::fill(directory, hashes, {{old_path(), piece, old.files[0].pieces}}, stop);
  }
  reuse::Filled fill(std::string const& wanted) const {
    auto filled = try_fill(wanted);
    if (!filled) FAIL(filled.error().line());
    return std::move(*filled);
  }

private:
  test::TemporaryDirectory directory_;
  std::string old_content_;
};

}  // namespace

TEST_CASE("pieces that an older version has are put in place, the others are left to the swarm", "[reuse]") {
  auto const old = test::noise(4 * one);
  auto wanted = old;
  wanted[one + 7] ^= 1;
  Host const host{old};
  auto const filled = host.fill(wanted);
  CHECK(filled.pieces == std::vector{true, false, true, true});
  CHECK(filled.bytes.value == 3 * one);
  auto const made = content_at(host.new_path());
  CHECK(made.size() == wanted.size());
  CHECK(made.substr(0, one) == wanted.substr(0, one));
  CHECK(made.substr(2 * one) == wanted.substr(2 * one));
}

TEST_CASE("pieces that have moved are found", "[reuse]") {
  auto const old = test::noise(4 * one);
  auto const wanted = test::noise(one, 1) + old.substr(2 * one) + old.substr(0, one);
  Host const host{old};
  CHECK(host.fill(wanted).pieces == std::vector{false, true, true, true});
  CHECK(content_at(host.new_path()).substr(one) == wanted.substr(one));
}

TEST_CASE("pieces of zeros need no source and take no room", "[reuse]") {
  std::size_t const rest = GENERATE(0, 1, 20'000);  // an odd last piece has a hash of its own
  Host const host{test::noise(one, 1)};
  auto const filled = host.fill(test::noise(one) + std::string(8 * one + rest, '\0'));
  auto expected = std::vector<bool>(9 + (rest > 0 ? 1 : 0), true);
  expected[0] = false;
  CHECK(filled.pieces == expected);
  CHECK(filled.bytes.value == 8 * one + rest);
  CHECK(fs::file_size(host.new_path()) == 9 * one + rest);
  CHECK(allocated(host.new_path()) == 0);
}

TEST_CASE("zeros within a piece stay a hole in the copy", "[reuse]") {
  constexpr auto long_piece = 1_MiB;
  auto content = test::noise(3 * long_piece.value);
  std::fill_n(content.begin() + long_piece.value + one, 14 * one, '\0');
  test::TemporaryDirectory const directory;
  write(directory / "old.img", content);
  auto const hashes = torrent::piece_hashes_of(test::torrent_of(content, long_piece).admitted());
  auto const filled =
      reuse::fill(directory.path(), hashes, {{directory / "old.img", long_piece, hashes.files[0].pieces}}, {});
  REQUIRE(filled);
  CHECK(filled->pieces == std::vector{true, true, true});
  CHECK(content_at(directory / "disk.img") == content);
  CHECK(allocated(directory / "disk.img") <= content.size() - 14 * one);
}

TEST_CASE("a last piece of odd size is taken, wherever the older file had it", "[reuse]") {
  auto const old = test::noise(2 * one + 12'345);
  Host const host{old};
  CHECK(host.fill(test::noise(one, 1) + old.substr(2 * one)).pieces == std::vector{false, true});
  CHECK(content_at(host.new_path()).substr(one) == old.substr(2 * one));
}

TEST_CASE("a file of one piece is known by its root", "[reuse]") {
  auto const old = test::noise(20'000);
  Host const host{old};
  CHECK(host.fill(old).pieces == std::vector{true});
  CHECK(content_at(host.new_path()) == old);
}

TEST_CASE("a source that was changed, cut or removed since it was verified gives nothing that is not there",
          "[reuse]") {
  auto const old = test::noise(4 * one);
  Host const host{old};
  SECTION("changed") {
    auto changed = old;
    changed[2 * one] ^= 1;
    write(host.old_path(), changed);
    CHECK(host.fill(old).pieces == std::vector{true, true, false, true});
  }
  SECTION("cut") {
    fs::resize_file(host.old_path(), 2 * one + 1);
    CHECK(host.fill(old).pieces == std::vector{true, true, false, false});
  }
  SECTION("removed") {
    fs::remove(host.old_path());
    CHECK(host.fill(old).pieces == std::vector<bool>(4, false));
  }
  SECTION("replaced by a link") {
    fs::rename(host.old_path(), host.old_path().native() + ".real");
    fs::create_symlink(host.old_path().native() + ".real", host.old_path());
    CHECK(host.fill(old).pieces == std::vector<bool>(4, false));
  }
}

TEST_CASE("what an interrupted run left is believed after hashing only, and completed", "[reuse]") {
  auto const old = test::noise(4 * one);
  auto const wanted = old.substr(0, 2 * one) + std::string(one, '\0') + test::noise(one, 1) + old.substr(3 * one);
  Host const host{old};
  auto left = wanted;
  left[one] ^= 1;      // half written
  left[2 * one] ^= 1;  // where zeros shall be
  left.resize(4 * one);
  write(host.new_path(), left);
  CHECK(host.fill(wanted).pieces == std::vector{true, true, false, true, true});
  CHECK(content_at(host.new_path()).substr(0, 2 * one) == wanted.substr(0, 2 * one));
}

TEST_CASE("a full disk is said to be full", "[reuse]") {
  test::TemporaryDirectory const mount_point;
  if (::mount("imageswarm-test", mount_point.path().c_str(), "tmpfs", 0, "size=128k") != 0) {
    WARN("not root: no small file system to fill");
    return;
  }
  auto const old = test::noise(4 * one);
  Host const host{old};
  auto const filled = host.try_fill_in(mount_point.path(), old);
  ::umount(mount_point.path().c_str());
  REQUIRE_FALSE(filled);
  CHECK(filled.error().fault == Fault::disk_full);
}

TEST_CASE("filling stops when it is asked to", "[reuse]") {
  auto const old = test::noise(4 * one);
  Host const host{old};
  std::stop_source stop;
  stop.request_stop();
  auto const filled = host.try_fill(old, stop.get_token());
  REQUIRE_FALSE(filled);
  CHECK(filled.error().fault == Fault::cancelled);
}

TEST_CASE("of another piece length nothing matches but files of one piece", "[reuse]") {
  test::TemporaryDirectory const directory;
  std::size_t const size = GENERATE(65'536u, 262'144u);
  auto const content = test::noise(size);
  write(directory / "old.img", content);
  auto const old = torrent::piece_hashes_of(test::torrent_of(content, 128_KiB).admitted());
  auto const hashes = torrent::piece_hashes_of(test::torrent_of(content, piece).admitted());
  auto const filled =
      reuse::fill(directory.path(), hashes, {{directory / "old.img", 128_KiB, old.files[0].pieces}}, {});
  REQUIRE(filled);
  CHECK(filled->pieces == std::vector<bool>(size / one, size == one));
}

TEST_CASE("chunks that an older version has are put in place, whatever the piece lengths of both", "[reuse]") {
  test::TemporaryDirectory const directory;
  std::vector<std::string> const old{test::noise(40'000, 1), test::noise(200, 2), test::noise(30'000, 3)};
  std::vector<std::string> const wanted{old[0], test::noise(70'000, 4), old[2], old[0]};
  auto const old_hashes = torrent::piece_hashes_of(test::torrent_of_chunks(old, "old").admitted());
  auto const hashes = torrent::piece_hashes_of(test::torrent_of_chunks(wanted).admitted());
  REQUIRE(old_hashes.piece_length != hashes.piece_length);
  fs::create_directory(directory / "old");
  std::vector<reuse::Source> sources;
  for (std::size_t i = 0; i < old.size(); ++i) {
    write(directory / old_hashes.files[i].name, old[i]);
    sources.push_back({directory / old_hashes.files[i].name, old_hashes.piece_length, old_hashes.files[i].pieces});
  }
  auto const filled = reuse::fill(directory.path(), hashes, sources, {});
  REQUIRE(filled);
  CHECK(filled->pieces == std::vector{true, false, true, true});
  CHECK(filled->bytes.value == 40'000 + 30'000 + 40'000);
  CHECK((content_at(directory / "disk.chunks" / "000002.zst") == old[2]));
  CHECK((content_at(directory / "disk.chunks" / "000003.zst") == old[0]));
  CHECK_FALSE(fs::equivalent(directory / "disk.chunks" / "000000.zst", directory / "old" / "000000.zst"));
}
