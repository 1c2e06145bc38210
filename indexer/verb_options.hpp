#pragma once

// What the files that define verbs share; CLI11 shows in them and in cli.cpp only.

#include <chrono>
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "common/base/units.hpp"

namespace imageswarm::indexer {

/// A verb with its one-line description and the examples of its --help. --store and --json may stand after it too.
inline CLI::App* new_verb(CLI::App& app, std::string const& name, std::string const& what,
                          std::string const& examples) {
  auto* verb = app.add_subcommand(name, what);
  verb->fallthrough();
  verb->footer("Examples:\n" + examples);
  return verb;
}

/// An option with one value, which goes to `put`; given twice it is an error unless `take_all()` is said.
inline CLI::Option* value_option(CLI::App* verb, std::string const& name,
                                 std::function<void(std::string const&)> const& put, std::string const& help) {
  CLI::callback_t const take = [put](CLI::results_t const& values) {
    for (auto const& value : values) put(value);
    return true;
  };
  return verb->add_option(name, take, help)->type_name("TEXT");
}

/// An option that takes one value each time it is given.
inline void repeated(CLI::App* verb, std::string const& name, std::vector<std::string>& values,
                     std::string const& help) {
  value_option(
      verb, name, [&values](std::string const& value) { values.push_back(value); }, help)
      ->take_all();
}

/// A span such as 28d.
inline void duration(CLI::App* verb, std::string const& name, std::chrono::seconds& value, std::string const& help) {
  auto const put = [&value, name](std::string const& text) {
    auto const parsed = parse_duration(text);
    if (!parsed) throw CLI::ValidationError(name, parsed.error().what);
    value = *parsed;
  };
  value_option(verb, name, put, help)->type_name("SPAN");
}

}  // namespace imageswarm::indexer
