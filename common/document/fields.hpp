#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::document {

/// A doc-field error at a line; a value that was made here and not read (line 0) has none.
Error field_error(std::size_t line, std::string_view what);

/// Reads the members of one map, key by key. After the first fault every further call does nothing, so a reader is a
/// plain list of its keys and asks for the outcome once. A key without a value counts as absent.
class Fields {
public:
  explicit Fields(yaml::Value const& map);

  template <class T, class Parse>
  void optional(std::string_view key, T& into, Parse const& parse) {
    auto const* value = ask(key);
    if (!value) return;
    if (auto read = parse(*value)) {
      into = static_cast<T>(std::move(*read));
    } else {
      refuse(std::move(read.error()), key, value->line);
    }
  }

  template <class T, class Parse>
  void required(std::string_view key, T& into, Parse const& parse) {
    optional(key, into, parse);
    if (!find(key)) refuse({Fault::doc_field, "it is missing"}, key, map_.line);
  }

  /// A map of names to texts; `check` looks at the name.
  void texts(std::string_view key, std::map<std::string, std::string>& into, Result<> (*check)(std::string_view name));

  /// Makes `error` the outcome unless there is one already.
  void refuse(Error error, std::string_view key, std::size_t line);

  /// The members that were never asked for.
  yaml::Value::Map rest() const;
  [[nodiscard]] Result<> outcome() const { return outcome_; }

private:
  /// The value, unless it is absent or a fault has been met.
  yaml::Value const* ask(std::string_view key);
  yaml::Value const* find(std::string_view key) const;

  yaml::Value const& map_;
  std::vector<std::string> asked_;
  Result<> outcome_;
};

}  // namespace imageswarm::document
