#include "indexer/commands/unsigned_list.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <catch2/catch.hpp>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::commands {
namespace {

TEST_CASE("a list is locked for one command at a time") {
  test::TemporaryDirectory const directory;
  UniqueFd const other{::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  {
    auto const lock = lock_list(directory / "approvals.yaml");
    REQUIRE(lock);
    CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) != 0);
  }
  CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
  CHECK_FALSE(lock_list(directory / "none" / "approvals.yaml"));
}

}  // namespace
}  // namespace imageswarm::commands
