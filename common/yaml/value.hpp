#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::yaml {

struct Member;

/// A YAML node as we accept it: text, a list or a map. Numbers and booleans are text until somebody parses them.
struct Value {
  using List = std::vector<Value>;
  using Map = std::vector<Member>;  ///< in the order of the document, keys unique

  std::variant<std::string, List, Map> node;
  std::size_t line = 0;  ///< where it begins, from 1; 0 for a value that was not read from a document

  bool is_text() const { return std::holds_alternative<std::string>(node); }
  bool is_list() const { return std::holds_alternative<List>(node); }
  bool is_map() const { return std::holds_alternative<Map>(node); }
  /// An absent or empty scalar (`key:`), which stands for an empty text, list or map alike.
  bool is_empty() const;
  std::string const& text() const { return std::get<std::string>(node); }
  List const& list() const { return std::get<List>(node); }
  Map const& map() const { return std::get<Map>(node); }
  /// The value under `key` of a map, or null.
  Value const* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Value value;
  std::size_t line = 0;  ///< of the key
};

/// What a reader may be made to do by somebody else (docs/security.md, "YAML").
struct Limits {
  ByteCount size = 16_MiB;
  std::size_t depth = 8;
  std::size_t nodes = 1'000'000;
};

/// Reads one document. Before parsing, the raw bytes must be valid UTF-8 without control characters but LF; then
/// anchors, aliases, tags, merge keys, directives, a second document, duplicate keys and anything beyond the limits are
/// refused. The top must be a map (an empty document is an empty map).
/// Faults: too-large and yaml-…; the text names the line.
[[nodiscard]] Result<Value> parse(std::string_view bytes, Limits const& limits = {});

/// As `parse`, but the items of the top-level list `streamed` are handed to `item` one at a time and not kept, so that
/// a catalogue of 10,000 images needs the memory of one. `item` may stop the reading with an error.
[[nodiscard]] Result<Value> parse_streaming(std::string_view bytes, std::string_view streamed,
                                            std::function<Result<>(Value)> item, Limits const& limits = {});

/// Writes a map as block YAML that `parse` reads back as the same value: LF, two blanks of indent, scalars quoted only
/// where they must be.
std::string write(Value const& map);

}  // namespace imageswarm::yaml
