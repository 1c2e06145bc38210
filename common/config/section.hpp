#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::config {

/// One file being read: what it is called in messages, and the first error that was met.
struct Reading {
  std::string file;
  Result<> outcome;
};

/// One map of our own configuration. A reader asks for each key that it knows; what is left over is unknown and
/// refused.
///
/// After the first error every call does nothing, so a reader is a plain list of its keys. A key without a value
/// keeps the default. Messages name file and line: "imageswarmd.yaml:12: swarm.listen: …".
class Section {
public:
  Section(Reading& reading, yaml::Value const& map, std::string name);

  /// One line of text.
  void text(std::string_view key, std::string& into);
  void required_text(std::string_view key, std::string& into);
  void boolean(std::string_view key, bool& into);
  /// Absolute only: a daemon's working directory means nothing to its operator.
  void path(std::string_view key, std::filesystem::path& into);
  void required_path(std::string_view key, std::filesystem::path& into);
  template <class T>
  void number(std::string_view key, T& into, std::uint64_t least, std::uint64_t most) {
    parsed(key, into, [&](std::string_view text) { return parse_number(text, least, most); });
  }
  void size(std::string_view key, std::optional<ByteCount>& into) { parsed(key, into, parse_size); }
  void rate(std::string_view key, Rate& into) { parsed(key, into, parse_rate); }
  void duration(std::string_view key, std::chrono::seconds& into) { parsed(key, into, parse_duration); }

  /// A value that `parse` makes from the text.
  template <class T, class Parse>
  void parsed(std::string_view key, T& into, Parse const& parse) {
    value(key, [&](yaml::Value const& value) -> Result<> {
      if (!value.is_text()) return fail(Fault::config_value, "a single value is expected");
      auto read = parse(std::string_view{value.text()});
      if (!read) return fail(std::move(read.error()));
      into = static_cast<T>(std::move(*read));
      return {};
    });
  }
  /// A list of values that `parse` makes, each from a YAML value.
  template <class T, class Parse>
  void list(std::string_view key, std::vector<T>& into, Parse const& parse) {
    each(key, [&](yaml::Value const& item) -> Result<> {
      auto read = parse(item);
      if (!read) return fail(std::move(read.error()));
      into.push_back(T{std::move(*read)});
      return {};
    });
  }
  /// One of a few words, each with what it means.
  template <class T>
  void word(std::string_view key, T& into,
            std::type_identity_t<std::initializer_list<std::pair<std::string_view, T>>> words) {
    parsed(key, into, [&](std::string_view text) -> Result<T> {
      std::string known;
      for (auto const& [name, meaning] : words) {
        if (name == text) return meaning;
        ((known += known.empty() ? "" : ", ") += name);
      }
      return fail(Fault::config_value, "'{}' is none of {}", text, known);
    });
  }

  /// A map below this one, and a list of maps; `read` asks for their keys.
  void section(std::string_view key, std::function<void(Section&)> const& read);
  void sections(std::string_view key, std::function<void(Section&)> const& read);
  /// A list of maps, or one of them alone.
  void one_or_more_sections(std::string_view key, std::function<void(Section&)> const& read);

  /// Whatever else: `read` is called with the value if the key has one, and with each item of a list.
  void value(std::string_view key, std::function<Result<>(yaml::Value const&)> const& read);
  void each(std::string_view key, std::function<Result<>(yaml::Value const&)> const& read);
  /// The whole map by a reader that knows exactly these keys.
  void whole(std::initializer_list<std::string_view> keys, std::function<Result<>(yaml::Value const&)> const& read);

  /// The key must be given.
  void require(std::string_view key);
  /// Does the key stand here with a value?
  bool has(std::string_view key) const;
  /// A value that is wrong for a reason that only the reader knows; an empty key means the whole section.
  void refuse(std::string_view key, std::string_view why);

  /// Refuses the keys that nobody asked for. Called by whoever made the section, when its reader is done.
  void refuse_unknown();

private:
  yaml::Value const* ask(std::string_view key);
  std::string full(std::string_view key) const;
  void fail_at(std::size_t line, Fault fault, std::string_view what);
  void read_below(yaml::Value const& map, std::string name, std::function<void(Section&)> const& read);

  Reading& reading_;
  yaml::Value const& map_;
  std::string name_;
  std::vector<std::string> asked_;
};

/// Reads a whole configuration: strict YAML, then `read` with its top, then the check for unknown keys. `file` is for
/// messages. Faults: config-syntax, config-unknown-key, config-value.
[[nodiscard]] Result<> read(std::string_view text, std::filesystem::path const& file,
                            std::function<void(Section&)> const& read);

/// The text of a configuration file. Fault: config-missing, also when it cannot be read.
[[nodiscard]] Result<std::string> load(std::filesystem::path const& file);

}  // namespace imageswarm::config
