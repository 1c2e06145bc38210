#pragma once

// What the files that define verbs share; CLI11 shows in them and in cli.cpp only.

#include <chrono>
#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/units.hpp"
#include "common/trust/verify.hpp"

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

/// The options that say whom to trust.
inline void anchor_options(CLI::App* verb, trust::AnchorPolicy& policy) {
  using trust::Requirement;
  static std::map<std::string, Requirement> const words{
      {"require", Requirement::require}, {"if-present", Requirement::if_present}, {"off", Requirement::off}};
  verb->add_option("--anchors", policy.anchors, "Directory of hashed CAs and CRLs, or one PEM file with both")
      ->required();
  verb->add_option("--crl", policy.crl, "require (default), if-present or off")
      ->transform(CLI::Transformer(words).description(""))
      ->type_name("WORD");
  verb->add_option("--namespaces", policy.namespaces,
                   "What a CA may sign (.namespaces, .signing_policy): require, if-present (default) or off")
      ->transform(CLI::Transformer(words).description(""))
      ->type_name("WORD");
}

}  // namespace imageswarm::indexer
