#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include "common/yaml/value.hpp"

namespace imageswarm::yaml {
namespace {

/// Of pieces that mean something to a reader of YAML.
std::string any_text() {
  auto const piece = rc::gen::element<std::string>("a", " ", "\n", ":", "#", "-", "- ", "? ", "'", "\"", "\\", "[", "]",
                                                   "{", "}", ",", "&x", "*x", "!", "|", ">", "%", "@", "`", "~", "null",
                                                   "---", "...", "<<", "\xc3\xa9", "\x01", "\x7f", "\t", "0", "  ");
  std::string text;
  for (auto const& each : *rc::gen::container<std::vector<std::string>>(piece)) text += each;
  return text;
}

Value any_value(int depth) {
  auto const kind = *rc::gen::inRange(0, depth > 0 ? 3 : 1);
  if (kind == 0) return {any_text()};
  Value value;
  auto const size = *rc::gen::inRange(0, 4);
  if (kind == 1) {
    Value::List list;
    for (int i = 0; i < size; ++i) list.push_back(any_value(depth - 1));
    value.node = std::move(list);
  } else {
    Value::Map map;
    for (int i = 0; i < size; ++i) map.push_back({std::to_string(i) + any_text(), any_value(depth - 1)});
    value.node = std::move(map);
  }
  return value;
}

bool same(Value const& a, Value const& b) {
  if (a.is_text() && b.is_text()) return a.text() == b.text();
  if (a.is_list() && b.is_list()) return std::ranges::equal(a.list(), b.list(), same);
  return a.is_map() && b.is_map() && std::ranges::equal(a.map(), b.map(), [](Member const& x, Member const& y) {
           return x.key == y.key && same(x.value, y.value);
         });
}

TEST_CASE("whatever is written is read back as it was") {
  rc::prop("maps of texts, lists and maps", [] {
    Value map{Value::Map{{"top", any_value(4)}, {any_text() + "!", any_value(2)}}};
    auto const text = write(map);
    auto const read = parse(text);
    if (!read) RC_FAIL(read.error().line() + "\n" + text);
    if (!same(*read, map)) RC_FAIL(text);
  });
}

}  // namespace
}  // namespace imageswarm::yaml
