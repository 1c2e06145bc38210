#include "daemon/hooks/runner.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/file.hpp"
#include "common/base/units.hpp"
#include "tests/support/process_gone.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::hooks {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A program of root's in a directory of root's; without root there is none that would be run.
struct Program {
  explicit Program(std::string const& script, std::chrono::seconds timeout = 20s) {
    std::ofstream{directory / "hook"} << "#!/bin/sh\n" << script << "\n";
    fs::permissions(directory / "hook", fs::perms{0755});
    settings = {.events = {}, .run = {directory / "hook", directory.path().native()}, .timeout = timeout};
  }
  Result<> run(std::string const& body = "{}\n", std::stop_token const& stop = {}) const {
    return hooks::run(settings, body, stop);
  }
  std::string written(std::string const& name) const { return read_file(directory / name, 1_MiB).value(); }

  test::TemporaryDirectory directory;
  flow::HookSettings settings;
};

bool am_root() {
  if (::geteuid() == 0) return true;
  WARN("only root can make a program that is run: not tested");
  return false;
}

TEST_CASE("a hook gets the event on its stdin, its arguments, and nothing of the daemon's environment") {
  if (!am_root()) return;
  ::setenv("SECRET", "x", 1);
  Program const program{"cat > $1/body; env > $1/environment; ls -l /proc/self/fd | wc -l > $1/descriptors"};
  auto const body = std::string(200'000, 'x') + "\n";  // more than a pipe holds
  REQUIRE(program.run(body));
  CHECK(program.written("body") == body);
  CHECK(program.written("environment").find("SECRET") == std::string::npos);
  CHECK(program.written("environment").find("PATH=") != std::string::npos);
}

TEST_CASE("a hook that fails says how") {
  if (!am_root()) return;
  auto const status = Program{"echo a line; exit 3"}.run();
  REQUIRE_FALSE(status);
  CHECK(status.error().line() == "child-failed: it ended with status 3");
  CHECK(Program{"kill -9 $$"}.run().error().line() == "child-failed: it was ended by signal 9");
}

TEST_CASE("a hook that hangs is ended with everything that it started") {
  if (!am_root()) return;
  Program const program{"sleep 1000 & echo $! > $1/child; wait", 1s};
  auto const began = std::chrono::steady_clock::now();
  CHECK(program.run().error().fault == Fault::timeout);
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  CHECK(test::ends(std::stoi(program.written("child"))));
}

TEST_CASE("what a hook leaves behind ends with it, and does not hold up the daemon") {
  if (!am_root()) return;
  Program const program{"sleep 1000 & echo $! > $1/child; exit 0"};
  auto const began = std::chrono::steady_clock::now();
  CHECK(program.run());
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  CHECK(test::ends(std::stoi(program.written("child"))));
}

TEST_CASE("a hook ends at once when the daemon stops") {
  if (!am_root()) return;
  std::stop_source stop;
  stop.request_stop();
  CHECK(Program{"sleep 1000"}.run("{}", stop.get_token()).error().fault == Fault::cancelled);
}

TEST_CASE("a hook that prints without end is read to the end") {
  if (!am_root()) return;
  CHECK(Program{"i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done"}.run());
}

TEST_CASE("a program that cannot be run is refused with the reason") {
  if (!am_root()) return;
  Program program{"touch $1/ran"};
  auto const refused = [&] {
    auto const done = program.run();
    CHECK_FALSE(fs::exists(program.directory / "ran"));
    return done ? Fault::internal : done.error().fault;
  };
  auto const file = program.directory / "hook";
  SECTION("missing") {
    fs::remove(file);
    CHECK(refused() == Fault::not_found);
  }
  SECTION("not executable by anybody") {
    fs::permissions(file, fs::perms{0644});
    CHECK(refused() == Fault::permission);
  }
  SECTION("others may write to it") {
    fs::permissions(file, fs::perms{0757});
    CHECK(refused() == Fault::permission);
  }
  SECTION("its group may") {
    fs::permissions(file, fs::perms{0775});
    CHECK(refused() == Fault::permission);
  }
  SECTION("another's") {
    REQUIRE(::chown(file.c_str(), 65534, 0) == 0);
    CHECK(refused() == Fault::permission);
  }
  SECTION("others may replace it") {
    fs::permissions(program.directory.path(), fs::perms{0777});
    CHECK(refused() == Fault::permission);
  }
  SECTION("a link to another's") {
    fs::rename(file, program.directory / "other");
    REQUIRE(::chown((program.directory / "other").c_str(), 65534, 0) == 0);
    fs::create_symlink("other", file);
    CHECK(refused() == Fault::permission);
  }
  SECTION("a directory") {
    fs::remove(file);
    fs::create_directory(file);
    CHECK(refused() == Fault::permission);
  }
  SECTION("of a format that the kernel does not know") {
    std::ofstream{file} << "neither script nor binary\n";
    CHECK(refused() == Fault::child_failed);
  }
}

}  // namespace
}  // namespace imageswarm::hooks
