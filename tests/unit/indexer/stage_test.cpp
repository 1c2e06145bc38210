#include "indexer/ingest/stage.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace imageswarm::ingest {
namespace {

Chunk chunk(std::size_t size) {
  return std::make_shared<std::vector<std::byte> const>(size);
}

TEST_CASE("a stage works through all chunks in their order") {
  std::vector<std::size_t> seen;
  Stage stage{[&seen](Chunk const& given) -> Result<> {
    seen.push_back(given->size());
    return {};
  }};
  for (std::size_t i = 0; i < 100; ++i) REQUIRE(stage.push(chunk(i)));
  REQUIRE(stage.finish());
  REQUIRE(seen.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) CHECK(seen[i] == i);
}

TEST_CASE("when the work fails, whoever pushes learns it and is never stuck") {
  Stage stage{[](Chunk const&) -> Result<> { return fail(Fault::disk_full, "no room"); }};
  Result<> pushed;
  for (int i = 0; i < 100 && pushed; ++i) pushed = stage.push(chunk(1));
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().fault == Fault::disk_full);
  CHECK_FALSE(stage.finish());
}

TEST_CASE("a stage that is given up in the middle ends") {
  Stage stage{[](Chunk const&) -> Result<> { return {}; }};
  for (int i = 0; i < 20; ++i) REQUIRE(stage.push(chunk(1)));
}

}  // namespace
}  // namespace imageswarm::ingest
