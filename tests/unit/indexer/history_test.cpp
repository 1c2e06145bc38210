#include "indexer/store/history.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::store {
namespace {

Event event(std::string const& action, std::string const& note) {
  return {*parse_time("2026-01-02T03:04:05Z"), "ada", action, "id", "debian@1", note};
}

TEST_CASE("events are kept in their order, whatever is in them") {
  test::TemporaryDirectory const directory;
  auto const path = directory / "history.jsonl";
  REQUIRE(append_event(path, event("added", "line\nbreak \"and\" \xff byte")));
  REQUIRE(append_event(path, event("endorsed", "")));
  auto const read = read_history(path);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK((*read)[0].action == "added");
  CHECK((*read)[1].action == "endorsed");
  CHECK((*read)[1].at == event("", "").at);
}

TEST_CASE("a line that a crash cut short is left out and spoils no other") {
  test::TemporaryDirectory const directory;
  auto const path = directory / "history.jsonl";
  REQUIRE(append_event(path, event("added", "")));
  std::ofstream{path, std::ios::app} << R"({"at": "2026-01-02T03)";
  REQUIRE(append_event(path, event("endorsed", "")));
  auto const read = read_history(path);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK((*read)[1].action == "endorsed");
}

TEST_CASE("a store without a history has an empty one") {
  test::TemporaryDirectory const directory;
  CHECK(read_history(directory / "history.jsonl")->empty());
}

}  // namespace
}  // namespace imageswarm::store
