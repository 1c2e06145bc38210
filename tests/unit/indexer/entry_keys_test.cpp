#include "indexer/commands/entry_keys.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/sample_image.hpp"

namespace imageswarm::commands {
namespace {

using Catch::Contains;

auto const now = *parse_time("2026-01-01T00:00:00Z");

TEST_CASE("every key that may be set is taken, and clearing it takes it out again") {
  Edits const edits{{"description", {"a text"}},
                    {"os-distro", {"rocky"}},
                    {"vo-tags", {"atlas", "cms"}},
                    {"expires", {"10d"}},
                    {"shareable", {"true"}},
                    {"volume-size", {"30GB"}},
                    {"distribution-hosts", {"hv*.example.org"}},
                    {"glance-properties", {"hw_disk_bus=virtio", "x=a=b"}},
                    {"min-disk", {"20"}},
                    {"visibility", {"public"}}};
  auto const plain = test::sample_image();
  auto const image = edited(plain, edits, now);
  REQUIRE(image);
  CHECK(image->vo_tags == std::vector<std::string>{"atlas", "cms"});
  CHECK(format_time(*image->expires) == "2026-01-11T00:00:00Z");
  CHECK(image->volume_size->value == 30'000'000'000);
  CHECK(image->glance_properties.at("x") == "a=b");
  CHECK(image->min_disk_gib == 20u);
  CHECK(image->shareable);

  auto const cleared = edited(*image, {{"expires", {""}}, {"vo-tags", {""}}, {"min-disk", {""}}}, now);
  REQUIRE(cleared);
  CHECK_FALSE(cleared->expires);
  CHECK(cleared->vo_tags.empty());
  CHECK_FALSE(cleared->min_disk_gib);
}

TEST_CASE("each key of the table is one that an entry has") {
  auto const image = test::sample_image();
  for (auto const& key : entry_keys()) {
    auto const edit = edited(image, {{std::string{key.key}, {"2026-01-01T00:00:00Z"}}}, now);
    // Whatever becomes of the value, no key may slip through as one that nobody knows.
    if (edit) CHECK(edit->extra.empty());
  }
}

TEST_CASE("what no entry may have is wrong usage, with the key in the message") {
  auto const wrong = GENERATE(std::pair<std::string, std::string>{"expires", "soon"},
                              std::pair<std::string, std::string>{"volume-size", "big"},
                              std::pair<std::string, std::string>{"visibility", "everybody"},
                              std::pair<std::string, std::string>{"glance-properties", "no value"},
                              std::pair<std::string, std::string>{"glance-properties", "imageswarm_image_id=x"},
                              std::pair<std::string, std::string>{"content-sha256", "00"},
                              std::pair<std::string, std::string>{"download-url", "javascript:alert(1)"});
  auto const image = edited(test::sample_image(), {{wrong.first, {wrong.second}}}, now);
  REQUIRE_FALSE(image);
  CHECK(image.error().fault == Fault::usage);
  CHECK_THAT(image.error().what, Contains(wrong.first));
}

TEST_CASE("an item as JSON has its numbers and truths as such") {
  store::Item item;
  item.image = test::sample_image();
  item.image.shareable = true;
  auto const json = to_json(item);
  CHECK(json["content-size"] == item.image.content_size.value);
  CHECK(json["shareable"] == true);
  CHECK(json["image-version"] == "1");
  CHECK(json["state"] == "managed");
  CHECK(json["published-in-serial"].is_null());
}

}  // namespace
}  // namespace imageswarm::commands
