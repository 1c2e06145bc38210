#include "indexer/store/item.hpp"

#include <catch2/catch.hpp>

#include "tests/support/sample_image.hpp"

namespace imageswarm::store {
namespace {

using Catch::Contains;

Item item(std::string const& name, std::string const& version, State state = State::managed) {
  Item made;
  made.image = test::sample_image(name, version, name + version);
  made.state = state;
  return made;
}

TEST_CASE("an item reads back as it was written, whatever its state") {
  auto written = item("debian-12", "3", State::withdrawn);
  written.published = 7;
  written.withdrawn_at = *parse_time("2026-03-04T05:06:07Z");
  written.reason = "a key: 'left' in\nthe image";
  written.endorsed_entry = digest_of<Sha256>("entry");
  written.imported_from = "hepix 2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d10";
  auto const read = parse_item(write(written));
  REQUIRE(read);
  CHECK(read->state == State::withdrawn);
  CHECK(read->published == 7);
  CHECK(read->withdrawn_at == written.withdrawn_at);
  CHECK(read->reason == written.reason);
  CHECK(read->endorsed_entry == written.endorsed_entry);
  CHECK(read->imported_from == written.imported_from);
  CHECK(entry_text(read->image) == entry_text(written.image));
}

TEST_CASE("only what is as it was endorsed is listed") {
  CHECK(is_listed(item("debian", "1")) == false);
  CHECK(is_listed(item("debian", "1", State::withdrawn)) == false);
  auto endorsed = item("debian", "1", State::endorsed);
  endorsed.endorsed_entry = digest_of<Sha256>(entry_text(endorsed.image));
  CHECK(is_listed(endorsed) == true);
  endorsed.image.description = "by hand";
  CHECK(is_listed(endorsed).error().fault == Fault::usage);
  auto edited = item("debian", "1");
  edited.published = 7;
  CHECK(is_listed(edited).error().fault == Fault::usage);
}

TEST_CASE("a file that is no item is called corrupt") {
  auto const good = write(item("debian-12", "1"));
  auto const bad = GENERATE_COPY(std::string{"nonsense"}, std::string{"state: managed\n"}, "colour: blue\n" + good,
                                 "state: eaten\n" + good.substr(good.find('\n') + 1), good.substr(0, good.size() / 2));
  auto const read = parse_item(bad);
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::state_corrupt);
}

TEST_CASE("a name means the newest version that is not withdrawn") {
  std::vector<Item> const items{item("debian", "9"), item("debian", "10"), item("debian", "11", State::withdrawn)};
  CHECK((*find(items, "debian"))->label() == "debian@10");
  CHECK((*find(items, items[0].image.uuid.text()))->label() == "debian@10");
}

TEST_CASE("an image ID and NAME@VERSION mean one image, withdrawn or not") {
  std::vector<Item> const items{item("debian", "9"), item("debian", "10", State::withdrawn)};
  CHECK((*find(items, items[0].image.image_id.text()))->label() == "debian@9");
  CHECK((*find(items, "debian@10"))->label() == "debian@10");
}

TEST_CASE("where all versions are withdrawn the name still means the newest") {
  std::vector<Item> const items{item("debian", "9", State::withdrawn), item("debian", "10", State::withdrawn)};
  CHECK((*find(items, "debian"))->label() == "debian@10");
}

TEST_CASE("an unknown name is answered with those that are near") {
  std::vector<Item> const items{item("debian-12", "1"), item("rocky", "1")};
  auto const found = find(items, "debian");
  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::not_found);
  CHECK_THAT(found.error().what, Contains("debian-12@1") && !Contains("rocky"));
  CHECK_THAT(find(items, "zebra").error().what, Contains("imageswarm-index list"));
  CHECK_FALSE(find({}, ""));
}

}  // namespace
}  // namespace imageswarm::store
