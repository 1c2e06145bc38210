#include "indexer/cli.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <ostream>

#include "common/base/spelling.hpp"
#include "common/base/text.hpp"
#include "indexer/commands/entry_keys.hpp"
#include "indexer/output.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

constexpr auto about = "Publishes virtual machine images in signed catalogues, and signs what a site approves.";

constexpr auto examples =
    "From an image to a catalogue:\n"
    "  imageswarm-index init --name lxcloud --endorser-name 'Ada Endorser' --tracker "
    "http://tracker.example.org:6969/announce\n"
    "  imageswarm-index add debian-12.qcow2 --name debian-12 --compress zstd --os-distro debian --os-version 12\n"
    "  imageswarm-index endorse debian-12\n"
    "  imageswarm-index publish --certificate cert.pem --key key.pem\n"
    "\n"
    "IMAGE is an image ID, a NAME (its newest version), NAME@VERSION or the UUID of a family.\n"
    "Exit status: 0 done, 1 failed, 2 wrong arguments, 3 refused, 4 partly done.\n"
    "`imageswarm-index COMMAND --help` tells more, with examples.";

int finish(Result<> const& done, Output& output) {
  if (done) return output.partly_done() ? 4 : 0;
  output.failure(done.error());
  return exit_status(done.error().fault);
}

/// CLI11 says only that a command is missing, whatever stands in its place. Nothing if that is not what is wrong.
std::string unknown_command(CLI::App const& app) {
  auto const* last = &app;
  while (!last->get_subcommands().empty()) last = last->get_subcommands().front();
  std::vector<std::string> known;
  for (auto const* each : last->get_subcommands(nullptr)) known.push_back(each->get_name());
  auto const words = app.remaining(true);
  auto const unknown = std::ranges::find_if(words, [](auto const& word) { return !word.starts_with('-'); });
  if (known.empty() || unknown == words.end()) return "";
  return fmt::format("there is no command '{}'{}", *unknown, suggestion(*unknown, known));
}

/// Wrong arguments in one line, as every other failure.
Error usage_error(CLI::ParseError const& error, CLI::App const& app) {
  auto text = unknown_command(app);
  if (text.empty()) text = error.what();
  std::ranges::replace(text, '\n', ' ');
  return {Fault::usage, printable(text, 1000) + " (--help shows how)"};
}

/// `--shareable` alone means true. CLI11 could say so too, but would then take the next argument for its value.
void complete_booleans(std::vector<std::string>& arguments) {
  for (auto const& key : commands::entry_keys()) {
    if (key.form != commands::EntryKey::Form::boolean) continue;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      bool const has_value = i + 1 < arguments.size() && (arguments[i + 1] == "true" || arguments[i + 1] == "false");
      if (arguments[i] == key.options && !has_value) arguments[i] += "=true";
    }
  }
}

}  // namespace

int run(std::vector<std::string> arguments, Surroundings const& world) {
  Choice choice;
  choice.ask = world.ask;
  CLI::App app{about, "imageswarm-index"};
  app.set_version_flag("--version", std::string{"imageswarm-index " IMAGESWARM_VERSION});
  app.add_option("--store", choice.store, "Directory of the store (default: the current one)");
  app.add_flag("--json", choice.json, "Machine-readable result on stdout, words and progress on stderr");
  app.footer(examples);
  app.require_subcommand(1);
  define_image_verbs(app, choice);
  define_approval_verbs(app, choice);
  define_endorser_verbs(app, choice);
  define_document_verbs(app, choice);
  define_exchange_verbs(app, choice);

  complete_booleans(arguments);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  try {
    app.parse(std::move(arguments));
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() == 0) return app.exit(error, world.out, world.err);  // --help, --version
    Output output{choice.json, world.out, world.err};
    return finish(fail(usage_error(error, app)), output);
  }
  Output output{choice.json, world.out, world.err};
  commands::Context context{world.clock, output};
  return finish(choice.verb(context), output);
}

}  // namespace imageswarm::indexer
