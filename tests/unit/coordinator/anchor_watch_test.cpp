#include "daemon/coordinator/anchor_watch.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::coordinator {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Watched {
  test::TemporaryDirectory directory;
  boost::asio::io_context loop;
  unsigned calls = 0;
  AnchorWatch watch{loop, [this] { ++calls; }};

  fs::path path(std::string const& name) const { return directory / name; }
  void write(std::string const& name, std::string const& content) const {
    REQUIRE(write_file_atomically(path(name), content));
  }
  /// How often it has called after the burst that is under way, or after some time without any.
  unsigned calls_after(std::chrono::milliseconds most) {
    auto const before = calls;
    auto const end = std::chrono::steady_clock::now() + most;
    while (calls == before && loop.run_one_until(end) > 0) continue;
    return calls - before;
  }
};

TEST_CASE_METHOD(Watched, "whatever changes in the directory of anchors is noticed, a burst of it once") {
  fs::create_directory(path("anchors"));
  write("anchors/root.r0", "old");
  write("elsewhere.r0", "newest");
  REQUIRE(watch.watch(path("anchors")));

  SECTION("a file renamed into place") {
    write("anchors/root.r0", "new");
  }
  SECTION("a file written in place") {
    std::ofstream{path("anchors/root.r0")} << "new";
  }
  SECTION("many at once") {
    for (int i = 0; i < 100; ++i) write("anchors/" + std::to_string(i) + ".r0", "new");
  }
  SECTION("one that is removed") {
    fs::remove(path("anchors/root.r0"));
  }
  SECTION("a link to another one") {
    fs::create_symlink(path("elsewhere.r0"), path("anchors/other.r0"));
  }
  CHECK(calls_after(5s) == 1);
  CHECK(calls_after(700ms) == 0);
}

TEST_CASE_METHOD(Watched, "a link that is led to another directory is followed") {
  fs::create_directory(path("first"));
  fs::create_directory(path("second"));
  fs::create_directory_symlink(path("first"), path("anchors"));
  REQUIRE(watch.watch(path("anchors")));
  fs::create_directory_symlink(path("second"), path("anchors.new"));
  fs::rename(path("anchors.new"), path("anchors"));
  CHECK(calls_after(5s) == 1);
  write("second/root.r0", "new");
  CHECK(calls_after(5s) == 1);
}

TEST_CASE_METHOD(Watched, "a slash at the end of the name is no other name") {
  fs::create_directory(path("first"));
  fs::create_directory(path("second"));
  fs::create_directory_symlink(path("first"), path("anchors"));
  REQUIRE(watch.watch(path("./anchors//")));
  fs::create_directory_symlink(path("second"), path("anchors.new"));
  fs::rename(path("anchors.new"), path("anchors"));
  CHECK(calls_after(5s) == 1);
}

TEST_CASE_METHOD(Watched, "a directory that goes away and comes back is watched again") {
  fs::create_directory(path("anchors"));
  REQUIRE(watch.watch(path("anchors")));
  fs::remove(path("anchors"));
  CHECK(calls_after(5s) == 1);
  fs::create_directory(path("anchors"));
  CHECK(calls_after(5s) == 1);
  write("anchors/root.r0", "new");
  CHECK(calls_after(5s) == 1);
}

TEST_CASE_METHOD(Watched, "of a PEM file the neighbours do not matter") {
  write("anchors.pem", "old");
  REQUIRE(watch.watch(path("anchors.pem")));
  write("log", "hello");
  CHECK(calls_after(700ms) == 0);
  write("anchors.pem", "new");
  CHECK(calls_after(5s) == 1);
}

TEST_CASE_METHOD(Watched, "where nothing can be watched is said") {
  auto const watched = watch.watch(path("missing/anchors"));
  REQUIRE_FALSE(watched);
  CHECK(watched.error().fault == Fault::not_found);
}

}  // namespace
}  // namespace imageswarm::coordinator
