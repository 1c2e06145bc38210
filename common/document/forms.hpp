#pragma once

#include <fmt/ranges.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::document {

// The forms of single values (docs/formats.md): each reads one YAML value. Fault: doc-field, without key and line,
// which the caller knows.

/// Largest number in a document: what JSON's and YAML's readers everywhere still hold exactly.
inline constexpr std::uint64_t max_number = (1ull << 53) - 1;

/// One line of at most 255 bytes (Glance's limit for names and tags), without control characters.
[[nodiscard]] Result<std::string> line(yaml::Value const& value);
/// At most 65535 bytes (Glance's limit for a property); line ends are allowed.
[[nodiscard]] Result<std::string> text(yaml::Value const& value);
[[nodiscard]] Result<bool> boolean(yaml::Value const& value);
/// A plain number of bytes, at least one.
[[nodiscard]] Result<ByteCount> size(yaml::Value const& value);
/// http or https, of a directory: it ends in '/'.
[[nodiscard]] Result<std::string> web_seed(yaml::Value const& value);
[[nodiscard]] Result<std::string> tracker(yaml::Value const& value);
/// http or https, absolute.
[[nodiscard]] Result<std::string> web_url(yaml::Value const& value);
/// http, https, or relative to the catalogue's own.
[[nodiscard]] Result<std::string> download_url(yaml::Value const& value);

/// Parses the text with `parse`, whose fault becomes doc-field.
template <class T>
auto scalar(Result<T> (*parse)(std::string_view)) {
  return [parse](yaml::Value const& value) -> Result<T> {
    if (!value.is_text()) return fail(Fault::doc_field, "it is not a single value");
    auto parsed = parse(value.text());
    if (!parsed) return fail(Fault::doc_field, "{}", parsed.error().what);
    return parsed;
  };
}

inline auto number(std::uint64_t least, std::uint64_t most) {
  return [least, most](yaml::Value const& value) -> Result<std::uint64_t> {
    if (!value.is_text()) return fail(Fault::doc_field, "it is not a single value");
    auto parsed = parse_number(value.text(), least, most);
    if (!parsed) return fail(Fault::doc_field, "{}", parsed.error().what);
    return parsed;
  };
}

/// One of a few words.
inline auto one_of(std::initializer_list<std::string_view> words) {
  return [words = std::vector<std::string_view>{words}](yaml::Value const& value) -> Result<std::string> {
    auto read = line(value);
    if (!read) return read;
    for (auto word : words) {
      if (*read == word) return read;
    }
    return fail(Fault::doc_field, "'{}' is none of {}", *read, fmt::join(words, ", "));
  };
}

/// Text that `fits`; `form` says what would.
inline auto fitting(bool (*fits)(std::string_view), std::string_view form) {
  return [fits, form](yaml::Value const& value) -> Result<std::string> {
    auto read = line(value);
    if (read && !fits(*read)) return fail(Fault::doc_field, "'{}' is not {}", *read, form);
    return read;
  };
}

/// A list of what `item` reads, `most` of them.
template <class Item>
auto list_of(Item item, std::size_t most = max_number) {
  using T = typename std::invoke_result_t<Item, yaml::Value const&>::value_type;
  return [item, most](yaml::Value const& value) -> Result<std::vector<T>> {
    std::vector<T> items;
    if (value.is_empty()) return items;
    if (!value.is_list()) return fail(Fault::doc_field, "it is not a list");
    if (value.list().size() > most) {
      return fail(Fault::doc_field, "{} are too many; at most {}", value.list().size(), most);
    }
    for (auto const& each : value.list()) {
      auto read = item(each);
      if (!read) return fail(std::move(read.error()));
      items.push_back(std::move(*read));
    }
    return items;
  };
}

}  // namespace imageswarm::document
