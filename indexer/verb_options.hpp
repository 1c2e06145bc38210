#pragma once

// What the two files that define verbs share; CLI11 shows in them and in cli.cpp only.

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

/// An option that takes one value each time it is given.
inline void each_value(CLI::App* verb, std::string const& name, std::function<void(std::string const&)> const& put,
                       std::string const& help) {
  verb->add_option_function<std::vector<std::string>>(
          name,
          [put](std::vector<std::string> const& values) {
            for (auto const& value : values) put(value);
          },
          help)
      ->type_name("TEXT")
      ->allow_extra_args(false);
}

inline void repeated(CLI::App* verb, std::string const& name, std::vector<std::string>& values,
                     std::string const& help) {
  verb->add_option(name, values, help)->type_name("TEXT")->allow_extra_args(false);
}

/// A span such as 28d.
inline void duration(CLI::App* verb, std::string const& name, std::chrono::seconds& value, std::string const& help) {
  verb->add_option_function<std::string>(
          name,
          [&value, name](std::string const& text) {
            auto const parsed = parse_duration(text);
            if (!parsed) throw CLI::ValidationError(name, parsed.error().what);
            value = *parsed;
          },
          help)
      ->type_name("SPAN");
}

}  // namespace imageswarm::indexer
