#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/yaml/value.hpp"

namespace imageswarm::yaml {
namespace {

bool same(Value const& a, Value const& b);

bool same(Value::Map const& a, Value::Map const& b) {
  return std::ranges::equal(a, b,
                            [](Member const& x, Member const& y) { return x.key == y.key && same(x.value, y.value); });
}

bool same(Value const& a, Value const& b) {
  if (a.node.index() != b.node.index()) return false;
  if (a.is_text()) return a.text() == b.text();
  if (a.is_map()) return same(a.map(), b.map());
  return std::ranges::equal(a.list(), b.list(), [](Value const& x, Value const& y) { return same(x, y); });
}

/// Values made of pieces that mean something to YAML.
class Maker {
public:
  explicit Maker(unsigned seed) : random_{seed} {}

  Value map(std::size_t depth) {
    Value::Map members;
    for (std::size_t i = 0, count = below(4); i < count; ++i) {
      members.push_back({text() + std::to_string(i), node(depth), 0});
    }
    return {members};
  }

private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_); }

  std::string text() {
    static std::vector<std::string> const pieces{" ",
                                                 ":",
                                                 "#",
                                                 "-",
                                                 "?",
                                                 "\n",
                                                 "a",
                                                 "Z9",
                                                 "é",
                                                 "\xE2\x80\xA8",
                                                 "\xEF\xBB\xBF",
                                                 "\"",
                                                 "'",
                                                 "\\",
                                                 "[",
                                                 "]",
                                                 "{",
                                                 "}",
                                                 ",",
                                                 "&",
                                                 "*",
                                                 "!",
                                                 "|",
                                                 ">",
                                                 "%",
                                                 "@",
                                                 "`",
                                                 "~",
                                                 "null",
                                                 "---",
                                                 "...",
                                                 "<<",
                                                 ": ",
                                                 " #",
                                                 "=",
                                                 "\t",
                                                 "\r",
                                                 "\x1B",
                                                 "\x7F",
                                                 "",
                                                 "0",
                                                 "1.0",
                                                 "true",
                                                 "\xC2\x85",
                                                 "😀",
                                                 "\x01",
                                                 "http://a/b",
                                                 "\n\n",
                                                 "  x",
                                                 "x ",
                                                 "- a",
                                                 "? ",
                                                 "/",
                                                 "%Y",
                                                 "a: b # c",
                                                 "𝔸"};
    std::string result;
    for (std::size_t i = 0, count = below(5); i < count; ++i) result += pieces[below(pieces.size())];
    return result;
  }

  Value node(std::size_t depth) {
    auto const shape = depth == 0 ? 0 : below(4);
    if (shape < 2) return {text()};
    if (shape == 2) return map(depth - 1);
    Value::List items;
    for (std::size_t i = 0, count = below(4); i < count; ++i) items.push_back(node(depth - 1));
    return {items};
  }

  std::mt19937 random_;
};

TEST_CASE("whatever is written is read back as the same value") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    auto const value = Maker{seed}.map(5);
    auto const text = write(value);
    auto const read = parse(text);
    INFO("seed " << seed << "\n" << text << (read ? "" : read.error().what));
    REQUIRE(read);
    REQUIRE(same(value, *read));
  }
}

TEST_CASE("the form is plain block YAML, with quotes only where they are needed") {
  Value const value{Value::Map{
      {"name", {"debian-12"}, 0},
      {"url", {"https://example.org/a#b"}, 0},
      {"time", {"2026-01-02T03:04:05Z"}, 0},
      {"empty", {""}, 0},
      {"note", {"two\nlines"}, 0},
      {"none", {Value::List{}}, 0},
      {"nothing", {Value::Map{}}, 0},
      {"tags", {Value::List{{"a"}, {"- b"}}}, 0},
      {"images", {Value::List{{Value::Map{{"id", {"1"}, 0}, {"list", {Value::List{{"x"}}}, 0}}}, {Value::Map{}}}}, 0},
      {"lists", {Value::List{{Value::List{{"x"}, {"y"}}}}}, 0},
  }};
  CHECK(write(value) ==
        "name: debian-12\n"
        "url: https://example.org/a#b\n"
        "time: 2026-01-02T03:04:05Z\n"
        "empty: \"\"\n"
        "note: \"two\\nlines\"\n"
        "none: []\n"
        "nothing: {}\n"
        "tags:\n"
        "  - a\n"
        "  - \"- b\"\n"
        "images:\n"
        "  - id: 1\n"
        "    list:\n"
        "      - x\n"
        "  - {}\n"
        "lists:\n"
        "  -\n"
        "    - x\n"
        "    - y\n");
}

TEST_CASE("an empty map is written so that it is one") {
  CHECK(parse(write({Value::Map{}}))->map().empty());
}

TEST_CASE("bytes that are no UTF-8 cannot make a document that is refused") {
  CHECK(parse(write({Value::Map{{"a", {"x\xFF\xC3"}, 0}}}))->find("a")->text() == "x\xC3\xBF\xC3\x83");
}

}  // namespace
}  // namespace imageswarm::yaml
