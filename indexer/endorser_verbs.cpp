#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "indexer/commands/endorsers.hpp"
#include "indexer/commands/sync.hpp"
#include "indexer/verb_options.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

using commands::Context;

/// What a verb of the list is given.
struct Options {
  std::filesystem::path list;
  std::string name;
  yaml::Value::Map keys;  ///< of an entry
  std::vector<std::string> except_subjects, except_issuers;
  commands::Removal removal;
  trust::AnchorPolicy anchors;
};

using Act = Result<> (*)(Options const&, Context&);

std::shared_ptr<Options> with_list(CLI::App* verb, Choice& choice, Act act) {
  auto options = std::make_shared<Options>();
  verb->add_option("--list", options->list, "The list, not signed")->required();
  verb->callback(
      [&choice, options, act] { choice.verb = [options, act](Context& context) { return act(*options, context); }; });
  return options;
}

/// An option that sets a key of the entry.
CLI::Option* key_option(CLI::App* verb, Options& options, std::string const& option, std::string const& key,
                        std::string const& help) {
  return value_option(
      verb, option,
      [&options, key](std::string const& value) {
        options.keys.push_back({key, {value}});
      },
      help);
}

void define_init(CLI::App& endorsers, Choice& choice) {
  auto* verb = new_verb(endorsers, "init", "Make an empty list",
                        "  imageswarm-index endorsers init --list endorsers.yaml --name mysite");
  auto const options = with_list(verb, choice, [](Options const& given, Context& context) {
    return commands::endorsers_init(given.list, given.name, context);
  });
  verb->add_option("--name", options->name, "Name of the document")->required();
}

void define_add(CLI::App& endorsers, Choice& choice) {
  auto* verb = new_verb(endorsers, "add", "Add an endorser of a catalogue, or change one: the keys that are given",
                        "  imageswarm-index endorsers add --list endorsers.yaml --name 'Ada Endorser' \\\n"
                        "      --subject 'CN=Ada Endorser,O=Example' --issuer 'CN=Example CA,O=Example' \\\n"
                        "      --catalogue https://images.example.org/catalogue.yaml --document lxcloud\n"
                        "  imageswarm-index endorsers add --list endorsers.yaml --document lxcloud --epoch 2 \\\n"
                        "      --subject 'CN=Ada Endorser,O=Example' --issuer 'CN=Example CA,O=Example'");
  auto const options = with_list(verb, choice, [](Options const& given, Context& context) {
    return commands::endorsers_add(given.list, given.keys, context);
  });
  key_option(verb, *options, "--subject", "subject", "Who signs the catalogue, RFC 2253 or /slash form")->required();
  key_option(verb, *options, "--issuer", "issuer", "The CA that vouches for that subject")->required();
  key_option(verb, *options, "--document", "document", "Name of the catalogue")->required();
  key_option(verb, *options, "--catalogue", "catalogue", "Where the catalogue is, an http(s) URL");
  key_option(verb, *options, "--epoch", "epoch", "Its epoch (default: 1)");
  key_option(verb, *options, "--name", "name", "Name of the person or team");
  key_option(verb, *options, "--contact", "contact", "How to reach them");
}

void define_remove(CLI::App& endorsers, Choice& choice) {
  auto* verb =
      new_verb(endorsers, "remove", "Take out an endorser, for one catalogue or all, or an included list",
               "  imageswarm-index endorsers remove --list endorsers.yaml --subject 'CN=Ada,O=Example'\n"
               "  imageswarm-index endorsers remove --list endorsers.yaml --url https://vo.example.org/e.yaml");
  auto const options = with_list(verb, choice, [](Options const& given, Context& context) {
    return commands::endorsers_remove(given.list, given.removal, context);
  });
  auto& removal = options->removal;
  verb->add_option("--subject", removal.subject, "The endorser");
  verb->add_option("--issuer", removal.issuer, "Only as vouched for by this CA");
  verb->add_option("--document", removal.document, "Only for this catalogue");
  verb->add_option("--url", removal.url, "The included list");
}

/// The exceptions as the entry has them: the first subject with the first issuer, and so on.
Result<yaml::Value::List> exceptions(Options const& given) {
  if (given.except_subjects.size() != given.except_issuers.size()) {
    return fail(Fault::usage, "each --except-subject needs its --except-issuer");
  }
  yaml::Value::List list;
  for (std::size_t i = 0; i < given.except_subjects.size(); ++i) {
    list.push_back({yaml::Value::Map{{"subject", {given.except_subjects[i]}}, {"issuer", {given.except_issuers[i]}}}});
  }
  return list;
}

void define_include(CLI::App& endorsers, Choice& choice) {
  auto* verb = new_verb(endorsers, "include", "Build on another list; once more: change how",
                        "  imageswarm-index endorsers include --list endorsers.yaml \\\n"
                        "      --url https://vo.example.org/endorsers.yaml --document atlas \\\n"
                        "      --subject 'CN=ATLAS Security,O=Example' --issuer 'CN=Example CA,O=Example' \\\n"
                        "      --except-subject 'CN=Mallory,O=Example' --except-issuer 'CN=Example CA,O=Example'");
  auto const options = with_list(verb, choice, [](Options const& given, Context& context) {
    return exceptions(given).and_then([&](yaml::Value::List except) {
      return commands::endorsers_include(given.list, given.keys, std::move(except), context);
    });
  });
  key_option(verb, *options, "--url", "list", "Where it is, an http(s) URL: the key `list`")->required();
  key_option(verb, *options, "--document", "document", "Its name")->required();
  key_option(verb, *options, "--subject", "subject", "Who signs it")->required();
  key_option(verb, *options, "--issuer", "issuer", "The CA that vouches for that subject")->required();
  repeated(verb, "--except-subject", options->except_subjects, "Who is not accepted though it names them (repeat)");
  repeated(verb, "--except-issuer", options->except_issuers, "The CA of that subject, in the same order (repeat)");
}

void define_sync(CLI::App& endorsers, Choice& choice) {
  auto* verb = new_verb(endorsers, "sync",
                        "Fetch and verify the included lists, show what has changed in them; `sign` demands it",
                        "  imageswarm-index endorsers sync --list endorsers.yaml --anchors "
                        "/etc/grid-security/certificates");
  auto const options = with_list(verb, choice, [](Options const& given, Context& context) {
    return commands::endorsers_sync(given.list, given.anchors, context);
  });
  anchor_options(verb, options->anchors)->required();
}

void define_show(CLI::App& endorsers, Choice& choice) {
  auto* verb = new_verb(endorsers, "show", "Who is on the list, and what its last synchronisation saw",
                        "  imageswarm-index endorsers show --list endorsers.yaml");
  with_list(verb, choice,
            [](Options const& given, Context& context) { return commands::endorsers_show(given.list, context); });
}

}  // namespace

void define_endorser_verbs(CLI::App& app, Choice& choice) {
  auto* endorsers =
      new_verb(app, "endorsers", "Who may endorse which catalogue, before signing",
               "  imageswarm-index endorsers init --list endorsers.yaml --name mysite\n"
               "  imageswarm-index endorsers add --list endorsers.yaml --subject 'CN=Ada Endorser,O=Example' \\\n"
               "      --issuer 'CN=Example CA,O=Example' --document lxcloud \\\n"
               "      --catalogue https://images.example.org/catalogue.yaml\n"
               "  imageswarm-index sign endorsers.yaml --certificate cert.pem --key key.pem --output public.yaml");
  endorsers->require_subcommand(1);
  define_init(*endorsers, choice);
  define_add(*endorsers, choice);
  define_remove(*endorsers, choice);
  define_include(*endorsers, choice);
  define_sync(*endorsers, choice);
  define_show(*endorsers, choice);
}

}  // namespace imageswarm::indexer
