#include "common/config/section.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace imageswarm::config {
namespace {

struct Sample {
  std::string name = "default";
  unsigned peers = 8;
  bool dht = true;
  Rate rate;
  std::optional<ByteCount> size;
  std::chrono::seconds refresh{60};
  std::filesystem::path directory = "/var/lib";
  int policy = 0;
  std::vector<std::string> items;
  std::vector<std::string> below;
};

Result<Sample> sample(std::string_view text) {
  Sample into;
  auto const done = read(text, "/etc/x.yaml", [&](Section& top) {
    top.text("name", into.name);
    top.word("policy", into.policy, {{"all", 1}, {"listed", 2}});
    top.section("swarm", [&](Section& swarm) {
      swarm.number("upload-peers", into.peers, 1, 100);
      swarm.boolean("dht", into.dht);
      swarm.rate("upload-rate", into.rate);
    });
    top.size("size", into.size);
    top.duration("refresh", into.refresh);
    top.path("directory", into.directory);
    top.list("items", into.items, [](yaml::Value const& item) -> Result<std::string> {
      if (item.is_text()) return item.text();
      return fail(Fault::usage, "text is expected");
    });
    top.sections("below", [&](Section& below) { below.required_text("url", into.below.emplace_back()); });
    top.sections("rules", [](Section& rule) {
      rule.whole({"a", "b"}, [](yaml::Value const& map) -> Result<> {
        return fail(Fault::doc_field, "line {}: never right", map.line);
      });
    });
  });
  return done.map([&] { return into; });
}

TEST_CASE("what is given is taken, what is not keeps its default") {
  auto const read = sample(
      "name: x\npolicy: listed\nswarm: {upload-peers: 5, dht: false, upload-rate: 20MB/s}\nsize: 2GB\nrefresh: 15m\n"
      "directory: /srv\nitems: [a, b]\nbelow:\n  - url: u\n");
  REQUIRE(read);
  CHECK(read->name == "x");
  CHECK(read->policy == 2);
  CHECK(read->peers == 5);
  CHECK_FALSE(read->dht);
  CHECK(read->rate.bytes_per_second == 20'000'000);
  CHECK(read->size == ByteCount{2'000'000'000});
  CHECK(read->refresh == std::chrono::minutes{15});
  CHECK(read->directory == "/srv");
  CHECK(read->items == std::vector<std::string>{"a", "b"});
  CHECK(read->below == std::vector<std::string>{"u"});
  auto const none = sample("# nothing\n");
  REQUIRE(none);
  CHECK(none->name == "default");
  CHECK(none->peers == 8);
}

TEST_CASE("a key without a value keeps the default") {
  auto const read = sample("name:\npolicy:\nswarm:\ndirectory:\nitems:\nbelow:\n");
  REQUIRE(read);
  CHECK(read->name == "default");
  CHECK(read->directory == "/var/lib");
}

TEST_CASE("every mistake is refused with file and line") {
  struct Wrong {
    std::string_view text, says;
    Fault fault;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"name: x\nnane: y\n", "/etc/x.yaml:2: unknown key 'nane'; did you mean 'name'?", Fault::config_unknown_key},
      {"swarm:\n  upload-rat: 1\n", "/etc/x.yaml:2: unknown key 'upload-rat' in 'swarm'; did you mean 'upload-rate'?",
       Fault::config_unknown_key},
      {"swarm:\n  colour: red\n",
       "/etc/x.yaml:2: unknown key 'colour' in 'swarm'; known here: upload-peers, dht, "
       "upload-rate",
       Fault::config_unknown_key},
      {"rules:\n  - {a: b}\n  - {c: d}\n", "/etc/x.yaml:2: never right", Fault::config_value},
      {"rules:\n  - {c: d}\n", "/etc/x.yaml:2: unknown key 'c' in 'rules'", Fault::config_unknown_key},
      {"\nname: [a]\n", "/etc/x.yaml:2: name: a single value", Fault::config_value},
      {"name: \"\\e[2J\"\n", "/etc/x.yaml:1: name: ", Fault::config_value},
      {"policy: some\n", "/etc/x.yaml:1: policy: 'some' is none of all, listed", Fault::config_value},
      {"swarm:\n  upload-peers: 0\n", "/etc/x.yaml:2: swarm.upload-peers: ", Fault::config_value},
      {"swarm:\n  dht: yes\n", "/etc/x.yaml:2: swarm.dht: ", Fault::config_value},
      {"swarm:\n  upload-rate: 20\n", "/etc/x.yaml:2: swarm.upload-rate: ", Fault::config_value},
      {"swarm: on\n", "/etc/x.yaml:1: swarm: a map of keys", Fault::config_value},
      {"size: big\n", "/etc/x.yaml:1: size: ", Fault::config_value},
      {"refresh: 15\n", "/etc/x.yaml:1: refresh: ", Fault::config_value},
      {"directory: data\n", "/etc/x.yaml:1: directory: 'data' is not an absolute path", Fault::config_value},
      {"items: a\n", "/etc/x.yaml:1: items: a list is expected", Fault::config_value},
      {"items:\n  - a\n  - [b]\n", "/etc/x.yaml:3: items: text is expected", Fault::config_value},
      {"below:\n  - {}\n", "/etc/x.yaml:2: below.url: it is missing", Fault::config_value},
      {"below:\n  - text\n", "/etc/x.yaml:2: below: a map of keys", Fault::config_value},
      {"a: b\nc: d: e\n", "/etc/x.yaml:2: illegal map value", Fault::config_syntax},
      {"name: a\nname: b\n", "/etc/x.yaml:2: key 'name' was already given", Fault::config_syntax},
      {"name:\tx\n", "/etc/x.yaml:1: a tab", Fault::config_syntax},
      {"name: &a x\n", "/etc/x.yaml:1: anchors", Fault::config_syntax},
  }));
  INFO(wrong.text);
  auto const read = sample(wrong.text);
  REQUIRE_FALSE(read);
  CHECK(word(read.error().fault) == word(wrong.fault));
  CHECK_THAT(read.error().what, Catch::StartsWith(std::string{wrong.says}));
}

TEST_CASE("a file that is not there has a word of its own") {
  auto const text = load("/nonexistent/x.yaml");
  REQUIRE_FALSE(text);
  CHECK(text.error().fault == Fault::config_missing);
  CHECK_THAT(text.error().what, Catch::Contains("/nonexistent/x.yaml"));
}

}  // namespace
}  // namespace imageswarm::config
