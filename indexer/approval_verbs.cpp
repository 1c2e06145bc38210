#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "indexer/commands/approvals.hpp"
#include "indexer/verb_options.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

using commands::Context;
using commands::Verdict;

void define_rule_verb(CLI::App& approvals, Choice& choice, Verdict verdict, std::string const& name,
                      std::string const& what, std::string const& examples) {
  struct Options {
    std::filesystem::path list;
    commands::RuleOptions rule;
  };
  auto* verb = new_verb(approvals, name, what, examples);
  auto options = std::make_shared<Options>();
  auto& rule = options->rule;
  verb->add_option("--list", options->list, "The list, not signed")->required();
  verb->add_option("--endorser", rule.endorser, "Subject of the endorser");
  verb->add_option("--issuer", rule.issuer, "CA of the endorser");
  verb->add_option("--uuid", rule.uuid, "Family");
  verb->add_option("--image-id", rule.image_id, "One version");
  verb->add_option("--name", rule.name, "Name of the image, with * and ?");
  verb->add_option("--vo-tag", rule.vo_tag, "Virtual organisation");
  verb->add_flag("--all", rule.all, "Everything");
  verb->add_option("--reason", rule.reason, "Why; a recall needs one");
  verb->callback([&choice, options, verdict] {
    choice.verb = [options, verdict](Context& context) {
      return commands::approvals_change(options->list, verdict, options->rule, context);
    };
  });
}

}  // namespace

void define_approval_verbs(CLI::App& app, Choice& choice) {
  auto* approvals =
      new_verb(app, "approvals", "What a site allows to run and what it has recalled, before signing",
               "  imageswarm-index approvals init --list approvals.yaml --name mysite\n"
               "  imageswarm-index approvals approve --list approvals.yaml --endorser 'CN=Ada Endorser,O=Example'\n"
               "  imageswarm-index sign approvals.yaml --certificate cert.pem --key key.pem --output public.yaml");
  approvals->require_subcommand(1);
  auto* init = new_verb(*approvals, "init", "Make an empty list",
                        "  imageswarm-index approvals init --list approvals.yaml --name mysite");
  auto list = std::make_shared<std::filesystem::path>();
  auto name = std::make_shared<std::string>();
  init->add_option("--list", *list, "Where it goes")->required();
  init->add_option("--name", *name, "Name of the document")->required();
  init->callback([&choice, list, name] {
    choice.verb = [list, name](Context& context) { return commands::approvals_init(*list, *name, context); };
  });
  define_rule_verb(*approvals, choice, Verdict::approve, "approve",
                   "Approve what all given keys match; takes the same rule out of the recalled ones",
                   "  imageswarm-index approvals approve --list approvals.yaml --endorser 'CN=Ada Endorser,O=Example' "
                   "--name 'debian-*'");
  define_rule_verb(
      *approvals, choice, Verdict::recall, "recall", "Forbid what all given keys match, whatever is approved",
      "  imageswarm-index approvals recall --list approvals.yaml --image-id UUID --reason 'CVE-2026-1234'");
  define_rule_verb(*approvals, choice, Verdict::remove, "remove", "Take a rule out again, approved or recalled",
                   "  imageswarm-index approvals remove --list approvals.yaml --vo-tag atlas");
  auto* show = new_verb(*approvals, "show", "The rules", "  imageswarm-index approvals show --list approvals.yaml");
  auto shown = std::make_shared<std::filesystem::path>();
  show->add_option("--list", *shown, "The list, not signed")->required();
  show->callback([&choice, shown] {
    choice.verb = [shown](Context& context) { return commands::approvals_show(*shown, context); };
  });
}

}  // namespace imageswarm::indexer
