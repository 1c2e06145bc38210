#include "indexer/exchange/json.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::exchange {
namespace {

void check_refused(std::string const& text, Fault fault = Fault::import_format) {
  auto const value = parse_json(text);
  REQUIRE_FALSE(value);
  CHECK(word(value.error().fault) == word(fault));
}

TEST_CASE("JSON becomes maps, lists and texts, whatever kind its scalars have") {
  auto const value = parse_json(R"({"n": 19, "s": "19", "minus": -1, "f": 1.50, "yes": true, "none": null,
                                    "list": [1, {"a": "\u00e4"}], "empty": {}})");
  REQUIRE(value);
  CHECK(value->find("n")->text() == "19");
  CHECK(value->find("s")->text() == "19");
  CHECK(value->find("minus")->text() == "-1");
  CHECK(value->find("f")->text() == "1.50");
  CHECK(value->find("yes")->text() == "true");
  CHECK(value->find("none")->is_empty());
  CHECK(value->find("list")->list()[0].text() == "1");
  CHECK(value->find("list")->list()[1].find("a")->text() == "ä");
  CHECK(value->find("empty")->is_map());
}

TEST_CASE("numbers keep every digit that they are written with") {
  auto const value = parse_json(R"([18446744073709551615, 18446744073709551616, 9007199254740993])");
  REQUIRE(value);
  CHECK(value->list()[0].text() == "18446744073709551615");
  CHECK(value->list()[1].text() == "18446744073709551616");
  CHECK(value->list()[2].text() == "9007199254740993");
}

TEST_CASE("what is not one JSON text in UTF-8 is refused") {
  for (std::string const text : {"", " ", "{", "[1,]", "{} {}", "{'a': 1}", "{\"a\": 1} trailing", "nan", "[1e999]",
                                 "\"\xff\"", "\"\xed\xa0\x80\"", "\"\x01\"", "<html>", "hv:imagelist: {}"}) {
    INFO(text);
    check_refused(text);
  }
  check_refused(std::string{"{\"a\": 1}\0", 9});
}

TEST_CASE("equal keys in one object are refused") {
  check_refused(R"({"hv:uri": "https://a", "hv:uri": "https://b"})");
  check_refused(R"({"a": {"k": 1, "\u006b": 2}})");
  CHECK(parse_json(R"([{"k": 1}, {"k": 2}, {"k": {"k": 3}}])"));
}

TEST_CASE("deep nesting, many values and long texts end at the limits") {
  auto const nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(16)));
  check_refused(nested(17));
  check_refused(nested(1'000'000));
  check_refused(std::string(1'000'000, '['));
  yaml::Limits const few{.nodes = 3};
  CHECK(parse_json("[1,2]", few));
  CHECK_FALSE(parse_json("[1,2,3]", few));
  check_refused("\"" + std::string(17u << 20, 'x') + "\"", Fault::too_large);
}

}  // namespace
}  // namespace imageswarm::exchange
