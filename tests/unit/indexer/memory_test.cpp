#include "indexer/exchange/memory.hpp"

#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::exchange {
namespace {

ForeignList list(std::string const& version) {
  ForeignList made;
  made.id = "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d10";
  made.home = "https://images.example.org/list.smime";
  made.signer = "CN=Ada";
  made.version = {version};
  return made;
}

Result<> compared(ForeignList candidate, std::vector<Memory> const& memories, bool demanded = false) {
  return compare(candidate, "hepix", memories, demanded);
}

TEST_CASE("a store remembers the last version of each list") {
  test::TemporaryDirectory const store;
  CHECK(read_memories(store.path())->empty());
  REQUIRE(remember(list("2"), "hepix", {}, store.path()));
  REQUIRE(remember(list("3"), "simplestreams", read_memories(store.path()).value(), store.path()));
  REQUIRE(remember(list("10"), "hepix", read_memories(store.path()).value(), store.path()));
  auto const memories = read_memories(store.path()).value();
  REQUIRE(memories.size() == 2);
  CHECK(memories[1].version.text == "10");
  CHECK(memories[1].signer == "CN=Ada");
}

TEST_CASE("an older version, another list in its place and another signer are refused") {
  test::TemporaryDirectory const store;
  REQUIRE(remember(list("2.10"), "hepix", {}, store.path()));
  auto const memories = read_memories(store.path()).value();
  CHECK(compared(list("2.10"), memories));
  CHECK(compared(list("3"), memories));
  CHECK(compared(list("2.9"), memories).error().fault == Fault::serial_rollback);

  auto other = list("3");
  other.id = "other";
  CHECK(compared(other, memories).error().fault == Fault::doc_name);
  other.home = "https://elsewhere.example.org/list.smime";
  CHECK(compared(other, memories));
  other.home.clear();
  CHECK(compared(other, memories));

  auto by_bob = list("3");
  by_bob.signer = "CN=Bob";
  CHECK(compared(by_bob, memories).error().fault == Fault::signer_not_listed);
  CHECK(compared(by_bob, memories, true));
  CHECK(compare(by_bob, "simplestreams", memories, false));
}

TEST_CASE("the same version again is a warning") {
  auto again = list("2");
  REQUIRE(compare(again, "hepix", {{"hepix", again.id, again.home, again.signer, {"1.9"}}}, false));
  CHECK(again.warnings.empty());
  REQUIRE(compare(again, "hepix", {{"hepix", again.id, again.home, again.signer, {"2"}}}, false));
  CHECK(again.warnings.size() == 1);
}

TEST_CASE("an older index is refused, by whatever it was remembered") {
  test::TemporaryDirectory const store;
  auto indexed = list("3");
  indexed.index_version = {"20"};
  REQUIRE(remember(indexed, "hepix", {}, store.path()));
  auto const memories = read_memories(store.path()).value();
  CHECK(compared(indexed, memories));
  CHECK(compared(list("3"), memories));
  indexed.index_version = {"19"};
  CHECK(compared(indexed, memories).error().fault == Fault::serial_rollback);
}

TEST_CASE("a list that could not be remembered is refused before anything is taken from it") {
  auto blank = list("1"), long_id = list("1"), long_home = list("1"), unreadable = list("1"), no_version = list("");
  blank.id = " ";
  long_id.id = std::string(2049, 'x');
  long_home.home += std::string(2049, 'x');
  unreadable.id = "a\x1b[31m";
  for (auto const& bad : {blank, long_id, long_home, unreadable, no_version}) {
    auto const refused = compared(bad, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::import_field);
  }
  auto longest = list("1");
  longest.id = std::string(2048, 'x');
  test::TemporaryDirectory const store;
  REQUIRE(compared(longest, {}));
  REQUIRE(remember(longest, "hepix", {}, store.path()));
  CHECK(read_memories(store.path()));
}

TEST_CASE("a memory that cannot be read is no empty one") {
  test::TemporaryDirectory const store;
  for (auto const* text : {"imports: 7\n", "imports:\n  - format: hepix\n", "imports:\n  - [\n"}) {
    REQUIRE(write_file_atomically(store / "imports.yaml", text));
    auto const read = read_memories(store.path());
    REQUIRE_FALSE(read);
    CHECK(read.error().fault == Fault::state_corrupt);
  }
}

}  // namespace
}  // namespace imageswarm::exchange
