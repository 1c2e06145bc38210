#pragma once

// What the files that define verbs share; CLI11 shows in them and in cli.cpp only.

#include <chrono>
#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/trust/verify.hpp"
#include "indexer/commands/context.hpp"
#include "indexer/store/store.hpp"
#include "indexer/verbs.hpp"

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

/// Who signs. The options' values are given to `trust::SigningIdentity::load`.
inline void signing_options(CLI::App* verb, std::string& certificate, std::string& key) {
  verb->add_option("--certificate", certificate, "PEM file, intermediates after the leaf; or pkcs11:…")->required();
  verb->add_option("--key", key, "PEM file or pkcs11:…; asks for its passphrase or PIN")->required();
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

/// A verb whose options stand in `options` when it runs, on an open store.
template <class Options, class StoreRef>
void chooses(CLI::App* verb, Choice& choice, store::Access access, std::shared_ptr<Options> options,
             Result<> (*perform)(Options const&, StoreRef&, commands::Context&)) {
  verb->callback([&choice, access, options, perform] {
    choice.verb = [&choice, access, options, perform](commands::Context& context) -> Result<> {
      auto opened = store::Store::open(choice.store, access);
      if (!opened) return fail(std::move(opened.error()));
      return perform(*options, *opened, context);
    };
  });
}

/// --anchors, --crl and --namespaces.
inline CLI::Option* anchor_options(CLI::App* verb, trust::AnchorPolicy& anchors) {
  static std::map<std::string, trust::Requirement> const requirements{{"require", trust::Requirement::require},
                                                                      {"if-present", trust::Requirement::if_present},
                                                                      {"off", trust::Requirement::off}};
  auto const requirement = [&](std::string const& name, trust::Requirement& value, std::string const& help) {
    verb->add_option(name, value, help)->transform(CLI::Transformer(requirements).description(""))->type_name("WORD");
  };
  requirement("--crl", anchors.crl, "require (default), if-present or off");
  requirement("--namespaces", anchors.namespaces,
              "What a CA may sign (.namespaces, .signing_policy): require, if-present (default) or off");
  return verb->add_option("--anchors", anchors.anchors, "Directory of hashed CAs and CRLs, or one PEM file with both");
}

/// --subject and --issuer.
inline void signer_options(CLI::App* verb, std::string& subject, std::string& issuer) {
  verb->add_option("--subject", subject, "Who must have signed it, RFC 2253 or /slash form (default: anybody)");
  verb->add_option("--issuer", issuer, "Which CA must vouch for that subject");
}

}  // namespace imageswarm::indexer
