#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/yaml/value.hpp"

namespace imageswarm::yaml {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

struct Refused {
  std::string_view document;
  Fault fault;
  std::string_view place;  ///< what the message says, from its beginning
};

TEST_CASE("a document is read into text, lists and maps, with the lines where they begin") {
  auto const value = parse("a: b\nlist:\n  - x\n  - k: v\n    l: [1, 2]\nlast: {p: q}\n");
  REQUIRE(value);
  CHECK(value->find("a")->text() == "b");
  auto const& list = value->find("list")->list();
  REQUIRE(list.size() == 2);
  CHECK(list[0].text() == "x");
  CHECK(list[1].find("l")->list()[1].text() == "2");
  CHECK(list[1].line == 4);
  CHECK(value->map().back().line == 6);
  CHECK(value->find("last")->find("p")->text() == "q");
  CHECK(value->find("none") == nullptr);
}

TEST_CASE("every scalar is text, quoted or not, and so are the words for null") {
  auto const value = parse("a: 010\nb: \"010\"\nc: true\nd: ~\ne: null\nf:\n  Null\nnull: x\ng: [~, NULL]\n");
  REQUIRE(value);
  CHECK(value->find("a")->text() == "010");
  CHECK(value->find("b")->text() == "010");
  CHECK(value->find("c")->text() == "true");
  CHECK(value->find("d")->text() == "~");
  CHECK(value->find("e")->text() == "null");
  CHECK(value->find("f")->text() == "Null");
  CHECK(value->find("null")->text() == "x");
  CHECK(value->find("g")->list()[1].text() == "NULL");
}

TEST_CASE("an absent scalar is empty, whatever follows it") {
  for (auto text : {"a:\nnull: x\n", "a:\n~: x\n", "a:\n'!': x\n", "a: # comment\n", "a:", "a: \"\"\n"}) {
    auto const read = parse(text);
    INFO(text);
    REQUIRE(read);
    CHECK(read->find("a")->is_empty());
  }
}

TEST_CASE("absent items and values are empty too, and an absent value hides nothing of the next key") {
  auto const value = parse("list:\n-\n- x\n-\nnull: {b, c: , d: e}\n");
  REQUIRE(value);
  CHECK(value->find("list")->list().size() == 3);
  CHECK(value->find("list")->list()[2].is_empty());
  CHECK(value->find("null")->find("b")->is_empty());
  CHECK(value->find("null")->find("c")->is_empty());
  CHECK(parse("a:\n! b: c\n").error().fault == Fault::yaml_tag);
  CHECK(parse("a:\n&b c: d\n").error().fault == Fault::yaml_anchor);
}

TEST_CASE("a flow list may go over several lines") {
  auto const value = parse("a: [\n  b,\n  c\n  , d,\n]\ne: {f: g,\n  h: i}\n");
  REQUIRE(value);
  CHECK(value->find("a")->list().size() == 3);
  CHECK(value->find("e")->map().size() == 2);
}

TEST_CASE("an empty document and one of comments are an empty map") {
  for (auto text : {"", "\n\n", "# nothing here\n", "---\n", "# first\n---\n"}) {
    auto const value = parse(text);
    REQUIRE(value);
    CHECK(value->map().empty());
  }
}

TEST_CASE("what is hostile or ambiguous is refused with its word and its line") {
  auto const refused = GENERATE(values<Refused>({
      {"a: &x b\n", Fault::yaml_anchor, "line 1: "},
      {"a: b\nb: &x\nc: d\n", Fault::yaml_anchor, "line 2: "},
      {"&x a: b\n", Fault::yaml_anchor, "line 1: "},
      {"a: &a [*a]\n", Fault::yaml_anchor, "line 1: "},
      {"a: b\nc: *x\n", Fault::yaml_alias, "line 2: "},
      {"a: !!str b\n", Fault::yaml_tag, "line 1: "},
      {"a: ! b\n", Fault::yaml_tag, "line 1: "},
      {"a: ! \"b\"\n", Fault::yaml_tag, "line 1: "},
      {"a: !\nb: c\n", Fault::yaml_tag, "line 1: "},
      {"a: !<?> b\n", Fault::yaml_tag, "line 1: "},
      {"a: !<!> b\n", Fault::yaml_tag, "line 1: "},
      {"a:\n  - !x {b: c}\n", Fault::yaml_tag, "line 2: "},
      {"a: {! b: c}\n", Fault::yaml_tag, "line 1: "},
      {"--- !!map\na: b\n", Fault::yaml_tag, "line 1: "},
      {"a: b\n<<: {c: d}\n", Fault::yaml_merge_key, "line 2: "},
      {"%YAML 1.2\n---\na: b\n", Fault::yaml_directive, "line 1: "},
      {"%TAG ! !x\n---\na: b\n", Fault::yaml_directive, "line 1: "},
      {"a: |\n%x\nb: c\n", Fault::yaml_directive, "line 2: "},
      {"a: b\n---\nc: d\n", Fault::yaml_second_document, "line 2: "},
      {"a: b\n---\n", Fault::yaml_second_document, "line 2: '---' ends"},
      {"---\n--- \na: b\n", Fault::yaml_second_document, "line 2: "},
      {"a: b\n...\n", Fault::yaml_second_document, "line 2: "},
      {"{a: b}\n{c: d}\n", Fault::yaml_second_document, "line 2: "},
      {"a: b\nc: d\na: e\n", Fault::yaml_duplicate_key, "line 3: key 'a' was already given in line 1"},
      {"l:\n  - {a: b, 'a': c}\n", Fault::yaml_duplicate_key, "line 2: "},
      {"a: b\n~: c\n~: d\n", Fault::yaml_duplicate_key, "line 3: "},
      {"a: [[[[[[[[x]]]]]]]]\n", Fault::yaml_depth, "line 1: "},
      {"a: b\nc\n", Fault::yaml_syntax, "line 2: no ':' after 'c'"},
      {"a: [b,, c]\n", Fault::yaml_syntax, "line 1: "},
      {": b\n", Fault::yaml_syntax, "line 1: "},
      {"? [a]\n: b\n", Fault::yaml_syntax, "line 1: a key must be text"},
      {"a: b\n c: d\n", Fault::yaml_syntax, "line 2: "},
      {"a: b: c\n", Fault::yaml_syntax, "line 1: "},
      {"a: [b\n", Fault::yaml_syntax, "line 1: "},
      {"a: b\nc: \"d\ne: f\n", Fault::yaml_syntax, "line 2: a quotation mark is not closed"},
      {"a: b\nc: \"d\\\"\n", Fault::yaml_syntax, "line 2: a quotation mark is not closed"},
      {"a: b\nc: 'it''s\ne: f\n", Fault::yaml_syntax, "line 2: a quotation mark is not closed"},
      {"a: b\nc: \"d\\_e\"\n", Fault::yaml_encoding, "line 2: write the character itself, not \\N or \\_"},
      {"a: b\nc: \"d\\Ne\"\n", Fault::yaml_encoding, "line 2: write the character itself, not \\N or \\_"},
      {"a: \"\\ud800\"\n", Fault::yaml_syntax, "line 1: "},
      {"a: b\n]\n", Fault::yaml_syntax, "line 2: "},
      {"text\n", Fault::yaml_syntax, "line 1: the document is not a map"},
      {"- a\n- b\n", Fault::yaml_syntax, "line 1: the document is not a map"},
      {"a: b\nc: \xFF\n", Fault::yaml_encoding, "line 2: "},
      {"a: \xED\xA0\x80\n", Fault::yaml_encoding, "line 1: "},
      {"\xEF\xBB\xBF"
       "a: b\n",
       Fault::yaml_encoding, "line 1: "},
      {"a: b\nb:\tc\n", Fault::yaml_encoding, "line 2: a tab"},
      {"a: b\r\n", Fault::yaml_encoding, "line 1: a carriage return"},
      {"a: \x1B[2J\n", Fault::yaml_encoding, "line 1: "},
      {"a: \x7F\n", Fault::yaml_encoding, "line 1: "},
      {"a: \xC2\x85\n", Fault::yaml_encoding, "line 1: "},
      {std::string_view{"a: b\n\0", 6}, Fault::yaml_encoding, "line 2: "},
      {std::string_view{"\0a\0:\0 \0b", 8}, Fault::yaml_encoding, "line 1: "},
  }));
  INFO(refused.document);
  auto const value = parse(refused.document);
  REQUIRE_FALSE(value);
  CHECK(word(value.error().fault) == word(refused.fault));
  CHECK_THAT(value.error().what, Catch::StartsWith(std::string{refused.place}));
}

TEST_CASE("size, depth and number of nodes end at their limits, not before") {
  CHECK(parse("a: b\n", {.size = {5}}));
  CHECK(parse("a: bc\n", {.size = {5}}).error().fault == Fault::too_large);
  CHECK(parse("a: [[[[[[[x]]]]]]]\n"));
  CHECK(parse("a: [x, y]\n", {.nodes = 5}));
  CHECK(parse("a: [x, y, z]\n", {.nodes = 5}).error().fault == Fault::yaml_nodes);
}

TEST_CASE("a megabyte of nesting is refused without deep recursion") {
  for (std::string_view unit : {"[", "{", "- ", "? ", "a: [", "{a: ", ": ", "a:\n "}) {
    INFO(unit);
    CHECK_FALSE(parse(repeated(unit, (1u << 20) / unit.size())));
  }
}

TEST_CASE("a hundred thousand keys are compared with one another quickly") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += fmt::format("k{}: v\n", i);
  CHECK(parse(text));
  CHECK(parse(text + "k77: v\n").error().fault == Fault::yaml_duplicate_key);
}

TEST_CASE("streamed items are handed over one at a time and not kept") {
  std::vector<std::string> seen;
  auto const collect = [&](Value item) -> Result<> {
    seen.push_back(item.is_map() ? item.find("n")->text() : item.text());
    return {};
  };
  auto const value =
      parse_streaming("a: [x]\nitems:\n  - n: 1\n    items: [no]\n  - two\nz: {items: [no]}\n", "items", collect);
  REQUIRE(value);
  CHECK(seen == std::vector<std::string>{"1", "two"});
  CHECK(value->find("items")->list().empty());
  CHECK(value->find("a")->list().size() == 1);
  CHECK(value->find("z")->find("items")->list().size() == 1);
}

TEST_CASE("a streamed item may end the reading") {
  int seen = 0;
  auto const once = [&](Value) -> Result<> {
    ++seen;
    return fail(Fault::doc_field, "enough");
  };
  auto const value = parse_streaming("items: [a, b]\n", "items", once);
  REQUIRE_FALSE(value);
  CHECK(value.error().what == "enough");
  CHECK(seen == 1);
}

TEST_CASE("what is no list under the streamed key stays in the document") {
  auto const never = [](Value) -> Result<> { return fail(Fault::internal, "called"); };
  CHECK(parse_streaming("items: text\n", "items", never)->find("items")->text() == "text");
  CHECK(parse_streaming("items: {a: b}\n", "items", never)->find("items")->is_map());
}

}  // namespace
}  // namespace imageswarm::yaml
