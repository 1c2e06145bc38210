// Texts that make readers of YAML crash, hang, grow, or read something else than the next reader does.
#include <string_view>

#include "common/yaml/value.hpp"
#include "tests/attacks/attack.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::string_literals;

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

std::string numbered(std::size_t times, std::string_view prefix, std::string_view suffix) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += std::string{prefix} + std::to_string(i) + std::string{suffix};
  return result;
}

std::string alias_bomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    auto const before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(before + ", ", 8) + before + "]\n";
  }
  return text;
}

std::string utf16(std::string_view text) {
  std::string wide = "\xff\xfe";
  for (char const c : text) wide += std::string{c, '\0'};
  return wide;
}

struct Row {
  char const* name;
  char const* expected;
  std::string text;
};

std::vector<Row> rows() {
  return {
      {"a plain map", "accepted", "a: b\nc: [d, e]\nf:\n  - g: h\n"},
      {"text in every style of quotation", "accepted", "a: 'b'\nc: \"d\\n\"\ne: |\n  f\n  g\nh: >\n  i\n"},
      {"comments everywhere", "accepted", "# a\na: b # c\n# d\n"},
      {"a hundred thousand keys", "accepted", numbered(100'000, "k", ": v\n")},
      {"a list of 900,000 items", "accepted", "a: [" + repeated("b,", 900'000) + "]\n"},
      {"a line of 10 MiB", "accepted", "a: " + std::string(10u << 20, 'x') + "\n"},
      {"an alias to itself, on which walkers of trees die", "yaml-anchor", "a: &a [*a]"},
      {"an alias bomb", "yaml-anchor", alias_bomb()},
      {"an alias bomb in a quoted key", "yaml-anchor", "\"x\": &a [y]\nb: [*a, *a]\n"},
      {"an alias of nothing as a key", "yaml-alias", "*a : b\n"},
      {"an anchor on a key", "yaml-anchor", "&a k: v\n"},
      {"an anchor on nothing", "yaml-anchor", "a: &b\nc: d\n"},
      {"an anchor inside of a flow map", "yaml-anchor", "a: {b: &c d}\n"},
      {"a tag that makes Python run a command", "yaml-tag", "a: !!python/object/apply:os.system [id]\n"},
      {"a tag of binary data", "yaml-tag", "a: !!binary aGVsbG8=\n"},
      {"a tag that says it is an integer", "yaml-tag", "serial: !!int \"42\"\n"},
      {"a tag as a key", "yaml-tag", "!!str a: b\n"},
      {"a verbatim tag", "yaml-tag", "a: !<tag:yaml.org,2002:str> b\n"},
      {"a merge key with a list", "yaml-merge-key", "a: b\n<<: [{c: d}, {e: f}]\n"},
      {"a merge key in quotation marks", "yaml-merge-key", "\"<<\": {a: b}\n"},
      {"an unknown directive", "yaml-directive", "%FOO bar\n---\na: b\n"},
      {"a YAML 1.1 directive", "yaml-directive", "%YAML 1.1\n---\na: yes\n"},
      {"a second document after a marker with a comment", "yaml-second-document", "a: b\n--- # more\nc: d\n"},
      {"a second document behind an end", "yaml-second-document", "a: b\n...\n---\nc: d\n"},
      {"a second document without a marker", "yaml-second-document", "{a: b}\n{c: d}\n"},
      {"ten thousand documents", "yaml-second-document", repeated("a: b\n---\n", 10'000)},
      {"the same key twice", "yaml-duplicate-key", "serial: 1\nserial: 2\n"},
      {"the same key, once in quotation marks", "yaml-duplicate-key", "serial: 1\n\"serial\": 2\n"},
      {"the same key, once escaped", "yaml-duplicate-key", "serial: 1\n\"seri\\x61l\": 2\n"},
      {"the same key in a flow map", "yaml-duplicate-key", "a: {b: c, b: d}\n"},
      {"the same key deep inside", "yaml-duplicate-key", "a:\n  - b:\n      c: d\n      c: e\n"},
      {"the same key as the first and the last of a hundred thousand", "yaml-duplicate-key",
       numbered(100'000, "k", ": v\n") + "k0: w\n"},
      {"nine levels of lists", "yaml-depth", "a: [[[[[[[[b]]]]]]]]\n"},
      {"nine levels of maps", "yaml-depth", "a: {b: {c: {d: {e: {f: {g: {h: {i: j}}}}}}}}\n"},
      {"levels without end, which do not end either", "yaml-syntax", "a: " + repeated("[", 1u << 20)},
      {"levels without end, in blocks", "yaml-depth", repeated("- ", 1u << 20)},
      {"two million values", "yaml-nodes", "a: [" + repeated("b,", 2'000'000) + "]\n"},
      {"a million empty lists", "yaml-nodes", "a: [" + repeated("[],", 1'100'000) + "]\n"},
      {"16 MiB and a byte", "too-large", "a: " + std::string((16u << 20) - 2, 'x')},
      {"UTF-16", "yaml-encoding", utf16("a: b\n")},
      {"UTF-32", "yaml-encoding", "a\0\0\0:\0\0\0 \0\0\0b\0\0\0"s},
      {"a byte order mark", "yaml-encoding",
       "\xef\xbb\xbf"
       "a: b\n"},
      {"a byte order mark in the middle", "accepted",
       "a: \xef\xbb\xbf"
       "b\n"},
      {"an overlong slash", "yaml-encoding", "a: \xc0\xaf\n"},
      {"a surrogate", "yaml-encoding", "a: \xed\xa0\x80\n"},
      {"a character beyond Unicode", "yaml-encoding", "a: \xf4\x90\x80\x80\n"},
      {"UTF-8 cut off at the end", "yaml-encoding", "a: \xe2\x82"},
      {"Latin-1", "yaml-encoding", "a: Ren\xe9\n"},
      {"a NUL in a value", "yaml-encoding", "a: b\0c\n"s},
      {"a NUL in an escape, which is text until somebody reads it", "accepted", "a: \"b\\0c\"\n"},
      {"a next-line character", "yaml-encoding",
       "a: b\xc2\x85"
       "c: d\n"},
      {"a carriage return alone", "yaml-encoding", "a: b\rc: d\n"},
      {"a tab before a key", "yaml-encoding", "a:\n\tb: c\n"},
      {"a form feed", "yaml-encoding", "a: b\f\n"},
      {"a delete", "yaml-encoding", "a: b\x7f\n"},
      {"a top that is a list", "yaml-syntax", "- a\n- b\n"},
      {"a top that is a text", "yaml-syntax", "catalogue\n"},
      {"a page of HTML", "yaml-syntax", "<html><body>404</body></html>\n"},
      {"a key that is a list", "yaml-syntax", "[a, b]: c\n"},
      {"a key that is a map", "yaml-syntax", "{a: b}: c\n"},
      {"a complex key", "yaml-syntax", "? - a\n: b\n"},
      {"a value without a key", "yaml-syntax", ": b\n"},
      {"quotation marks that do not end", "yaml-syntax", "a: \"b\n"},
      {"a flow list that does not end", "yaml-syntax", "a: [b, c\n"},
      {"an escape that there is not", "yaml-syntax", "a: \"\\q\"\n"},
      {"an escape of half a character", "yaml-syntax", "a: \"\\u12\"\n"},
      {"an escaped surrogate", "yaml-syntax", "a: \"\\uDC00\"\n"},
      {"an item in a map", "yaml-syntax", "a: b\n- c\n"},
      {"a colon too many", "yaml-syntax", "a: b: c\n"},
      {"a level too deep by one blank", "yaml-syntax", "a: b\n c: d\n"},
      {"a missing item", "yaml-syntax", "a: [b,, c]\n"},
      {"a megabyte of colons", "yaml-syntax", repeated(":", 1u << 20)},
      {"a megabyte of question marks", "yaml-syntax", repeated("? ", 1u << 19)},
  };
}

}  // namespace

Table yaml_texts() {
  Table table;
  for (auto& row : rows()) {
    table.push_back(
        {"yaml", row.name, row.expected, [text = std::move(row.text)] { return outcome_of(yaml::parse(text)); }});
  }
  return table;
}

}  // namespace imageswarm::attacks
