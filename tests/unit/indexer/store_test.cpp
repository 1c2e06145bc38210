#include "indexer/store/store.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/sample_image.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::store {
namespace {

using Catch::Contains;

Settings const settings{"lxcloud", "Ada", "", {}, {}};

Item item(std::string const& name, std::string const& version) {
  Item made;
  made.image = test::sample_image(name, version, name + version);
  return made;
}

TEST_CASE("what is saved is there when the store is opened again, by name and version") {
  test::TemporaryDirectory const root;
  REQUIRE(Store::create(root.path(), settings));
  {
    auto store = Store::open(root.path(), Access::write);
    REQUIRE(store);
    for (auto const* version : {"10", "9"}) REQUIRE(store->save(item("debian", version)));
    auto changed = item("debian", "9");
    changed.state = State::endorsed;
    REQUIRE(store->save(changed));
    auto raised = settings;
    raised.serial = 5;
    REQUIRE(store->save(raised));
  }
  auto const again = Store::open(root.path(), Access::read);
  REQUIRE(again);
  REQUIRE(again->items().size() == 2);
  CHECK(again->items()[0].label() == "debian@9");
  CHECK(again->items()[0].state == State::endorsed);
  CHECK(again->items()[1].label() == "debian@10");
  CHECK(again->settings().serial == 5);
}

TEST_CASE("a store is made once") {
  test::TemporaryDirectory const root;
  REQUIRE(Store::create(root.path(), settings));
  auto const twice = Store::create(root.path(), settings);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().fault == Fault::exists);
}

TEST_CASE("a directory that is no store is said to be none") {
  test::TemporaryDirectory const root;
  auto const store = Store::open(root.path(), Access::read);
  REQUIRE_FALSE(store);
  CHECK(store.error().fault == Fault::not_found);
  CHECK_THAT(store.error().what, Contains("--store"));
}

TEST_CASE("an item's file that is damaged or misnamed stops the opening and is named") {
  test::TemporaryDirectory const root;
  REQUIRE(Store::create(root.path(), settings));
  auto const name = GENERATE(as<std::string>{}, "x.yaml", "debian.yaml");
  auto const text = name == "x.yaml" ? "state: managed\n" : write(item("debian", "1"));
  std::ofstream{root.path() / "images" / name} << text;
  auto const store = Store::open(root.path(), Access::read);
  REQUIRE_FALSE(store);
  CHECK(store.error().fault == Fault::state_corrupt);
  CHECK_THAT(store.error().what, Contains("images/" + name));
}

TEST_CASE("opening for writing removes what a killed command left behind") {
  test::TemporaryDirectory const root;
  REQUIRE(Store::create(root.path(), settings));
  auto const left = root.path() / "artefacts" / ".adding.abcdef.tmp";
  std::ofstream{left} << "half an image";
  REQUIRE(Store::open(root.path(), Access::read));
  CHECK(fs::exists(left));
  REQUIRE(Store::open(root.path(), Access::write));
  CHECK_FALSE(fs::exists(left));
}

TEST_CASE("forgetting an item removes its files") {
  test::TemporaryDirectory const root;
  REQUIRE(Store::create(root.path(), settings));
  auto store = Store::open(root.path(), Access::write);
  auto const kept = item("debian", "1");
  REQUIRE(store->save(kept));
  std::ofstream{store->artefact(kept.image)} << "artefact";
  std::ofstream{store->torrent(kept.image)} << "torrent";
  REQUIRE(store->forget(kept.image.image_id));
  CHECK(store->items().empty());
  CHECK_FALSE(fs::exists(store->artefact(kept.image)));
  CHECK_FALSE(fs::exists(store->torrent(kept.image)));
  CHECK(fs::is_empty(root.path() / "images"));
}

}  // namespace
}  // namespace imageswarm::store
