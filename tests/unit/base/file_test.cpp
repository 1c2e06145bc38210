#include "common/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <fstream>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm {
namespace {

namespace fs = std::filesystem;

std::size_t entries(fs::path const& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator{directory}, fs::directory_iterator{}));
}

mode_t mode_of(fs::path const& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

TEST_CASE("a file is written whole, with its mode, and leaves nothing beside it") {
  test::TemporaryDirectory directory;
  auto const path = directory / "file";
  REQUIRE(write_file_atomically(path, "first"));
  REQUIRE(write_file_atomically(path, "second", 0600));
  CHECK(read_file(path, 1_KiB) == "second");
  CHECK(mode_of(path) == 0600);
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("a write that fails leaves the old file and no temporary one") {
  test::TemporaryDirectory directory;
  auto const path = directory / "file";
  fs::create_directory(path);
  std::ofstream{path / "inside"} << "x";
  CHECK_FALSE(write_file_atomically(path, "content"));
  CHECK(fs::exists(path / "inside"));
  CHECK(entries(directory.path()) == 1);
  auto const missing = write_file_atomically(directory / "none" / "file", "x");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::not_found);
}

TEST_CASE("reading stops at its limit and says what is missing") {
  test::TemporaryDirectory directory;
  auto const path = directory / "file";
  REQUIRE(write_file_atomically(path, std::string(100, 'a')));
  CHECK(read_file(path, {100})->size() == 100);
  CHECK(read_file(path, {99}).error().fault == Fault::too_large);
  CHECK(read_file(directory / "none", 1_KiB).error().fault == Fault::not_found);
  CHECK_FALSE(read_file(directory.path(), 1_KiB));
}

TEST_CASE("only a regular file is opened, never through a link") {
  test::TemporaryDirectory directory;
  auto const path = directory / "file";
  REQUIRE(write_file_atomically(path, "12345"));
  auto const fd = open_regular(path);
  REQUIRE(fd);
  CHECK(size_of(*fd) == ByteCount{5});
  CHECK((::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) != 0);
  fs::create_symlink(path, directory / "link");
  CHECK(open_regular(directory / "link").error().fault == Fault::permission);
  REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
  CHECK_FALSE(open_regular(directory / "pipe"));
  CHECK_FALSE(open_regular(directory.path()));
  CHECK(open_regular(directory / "none").error().fault == Fault::not_found);
}

TEST_CASE("a file is moved over another one") {
  test::TemporaryDirectory directory;
  auto const from = directory / "from", to = directory / "to";
  REQUIRE(write_file_atomically(from, "new"));
  REQUIRE(write_file_atomically(to, "old"));
  REQUIRE(move_into_place(from, to));
  CHECK(read_file(to, 1_KiB) == "new");
  CHECK_FALSE(fs::exists(from));
  CHECK(move_into_place(from, to).error().fault == Fault::not_found);
}

TEST_CASE("temporary files and directories are removed, others are not") {
  test::TemporaryDirectory directory;
  for (auto name : {".file.AbCdEf.tmp", ".hidden", "file.tmp", "file"}) std::ofstream{directory / name} << "x";
  fs::create_directories(directory / ".directory.tmp" / "full");
  fs::create_directory(directory / "directory.tmp");
  REQUIRE(remove_temporaries(directory.path()));
  CHECK_FALSE(fs::exists(directory / ".file.AbCdEf.tmp"));
  CHECK_FALSE(fs::exists(directory / ".directory.tmp"));
  CHECK(entries(directory.path()) == 4);
  CHECK(remove_temporaries(directory / "none"));
}

TEST_CASE("directories are made with those above them, once or twice") {
  test::TemporaryDirectory directory;
  auto const path = directory / "a" / "b";
  REQUIRE(make_directories(path, 0700));
  REQUIRE(make_directories(path, 0700));
  CHECK(mode_of(path) == 0700);
  std::ofstream{directory / "file"} << "x";
  CHECK_FALSE(make_directories(directory / "file"));
  CHECK_FALSE(make_directories(directory / "file" / "below"));
}

TEST_CASE("free space is asked where the path lies") {
  test::TemporaryDirectory directory;
  CHECK(free_space(directory.path())->value > 0);
  CHECK_FALSE(free_space(directory / "none"));
}

TEST_CASE("the kernel's errors have words, and paths in messages can be shown") {
  CHECK(errno_error(ENOSPC, "writing", "/x").fault == Fault::disk_full);
  CHECK(errno_error(EDQUOT, "writing", "/x").fault == Fault::disk_full);
  CHECK(errno_error(EROFS, "writing", "/x").fault == Fault::permission);
  CHECK(errno_error(EIO, "writing", "/x").fault == Fault::disk_error);
  CHECK(errno_error(ENOENT, "reading", "/x").what == "reading /x: No such file or directory");
  CHECK(errno_error(ENOENT, "reading", "/\x1B").what == "reading /\\x1b: No such file or directory");
}

TEST_CASE("a full disk is an error, not a short file") {
  UniqueFd const full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  REQUIRE(full);
  auto const written = write_all(full.get(), std::as_bytes(std::span{"data"}), "/dev/full");
  REQUIRE_FALSE(written);
  CHECK(written.error().fault == Fault::disk_full);
}

TEST_CASE("a descriptor has one owner") {
  UniqueFd a{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  auto const number = a.get();
  UniqueFd b{std::move(a)};
  CHECK_FALSE(a);
  CHECK(b.get() == number);
  b.reset();
  CHECK(::fcntl(number, F_GETFD) == -1);
}

}  // namespace
}  // namespace imageswarm
