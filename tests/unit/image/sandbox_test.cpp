#include "common/image/sandbox.hpp"

#include <signal.h>

#include <catch2/catch.hpp>

#include "common/base/child.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image::test;

namespace {

/// How sandbox_probe ends that confines itself and then tries this.
int attempt(std::string const& what) {
  auto const artefact = file_of("artefact");
  auto const output = file_of("");
  auto child = Child::start({.argv = {helper_program("sandbox_probe").string(), what},
                             .descriptors = {{artefact.get(), 0}, {output.get(), 1}, {output.get(), 3}},
                             .environment = {"PROBE=1"}});
  REQUIRE(child);
  auto const status = child->wait({}, std::chrono::seconds{20});
  REQUIRE(status);
  return *status;
}

}  // namespace

TEST_CASE("in the sandbox its work can be done", "[image][sandbox]") {
  for (auto const* work : {"nothing", "read", "verdict", "allocate"}) {
    INFO(work);
    CHECK(attempt(work) == 0);
  }
}

TEST_CASE("in the sandbox everything else is death by SIGSYS", "[image][sandbox]") {
  for (auto const* attack :
       {"open",    "openat2",   "read-other", "write-artefact", "write-stderr",   "socket",
        "connect", "exec",      "fork",       "thread",         "kill",           "ptrace",
        "unlink",  "dup",       "ioctl",      "map-file",       "map-executable", "make-executable",
        "prctl",   "setrlimit", "io_uring"}) {
    INFO(attack);
    CHECK(attempt(attack) == 128 + SIGSYS);
  }
}

TEST_CASE("in the sandbox a file cannot grow and memory is limited", "[image][sandbox]") {
  // The limits that seccomp does not set: RLIMIT_FSIZE stops a write to a file that was passed in by mistake.
  CHECK(attempt("write-file") == 128 + SIGXFSZ);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(attempt("allocate-too-much") == 0);
#endif
}
