#include "daemon/control/ctl/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>

#include "common/base/text.hpp"
#include "daemon/control/ctl/commands.hpp"

namespace imageswarm::ctl {
namespace {

constexpr char const* footer = R"(IMAGE is an image ID, a NAME (its newest version), NAME@VERSION or the UUID of a
family (its newest version).

  imageswarmctl status --watch             what moves, each second
  imageswarmctl explain debian-12          why it is or is not on this host
  imageswarmctl limit --upload 10MB/s      spare the network, until the next restart
  imageswarmctl ready --all --timeout 600  for scripts: wait until all is in place

  imageswarmctl copy debian-12 --from here --to there    between two Glances

Exit status: 0 done; 1 the daemon does not answer, failed, or `ready` timed out;
2 wrong arguments; 3 refused (`copy`: other bytes than promised); 4 `deploy` is partly done. Members of the group imageswarm
and root may use the socket.
)";

struct Texts {
  std::map<std::string, std::string> rates;
  std::string timeout;
};

void add_commands(CLI::App& app, Options& options, Texts& texts) {
  auto const command = [&](char const* name, char const* help) {
    auto* added = app.add_subcommand(name, help);
    added->callback([&options, name] { options.verb = name; });
    return added;
  };
  auto const listing = [&](char const* name, char const* help) {
    auto* added = command(name, help);
    added->add_flag("--json", options.json, "for programs: an array of objects (docs/operations.md)");
    return added;
  };
  auto const image = [&](CLI::App* to, bool required) {
    to->add_option("IMAGE", options.image, "image ID, NAME, NAME@VERSION or family UUID")
        ->type_name(" ")
        ->required(required);
  };
  auto* status = command("status", "what this host has, fetches and follows");
  status->add_flag("--watch", options.watch, "draw it afresh each second");
  status->add_flag("--json", options.json, "for programs: one object (docs/operations.md)");
  listing("images", "every image of the catalogues, also those for other hosts");
  listing("subscriptions", "the documents that this host follows, and how they are");
  image(listing("peers", "who is connected for an image"), true);
  image(listing("explain", "each rule that was asked about an image, and its answer"), true);
  listing("receipts", "what is in which sink, and who stands behind it");
  listing("recalled", "what was recalled or withdrawn here, what was done, what still uses it");
  listing("hooks", "the programs that are told of events: what waits for them, what failed last");
  command("refresh", "ask all sources now");
  command("pause", "stop all transfers until `resume`");
  command("resume", "go on with them");
  command("confirm", "accept the version of a document that is held back (mass-withdrawal)")
      ->add_option("DOCUMENT", options.document, "its name or URL, as `subscriptions` shows them")
      ->type_name(" ")
      ->required();
  auto* limit = command("limit", "change the host's rates; without options: show them");
  auto const rate = [&](char const* key, char const* help) {
    limit->add_option(fmt::format("--{}", key), texts.rates[key], help)->type_name("RATE");
  };
  rate("download", "20MB/s, 100Mbit/s or unlimited: the host's total");
  rate("upload", "likewise");
  rate("far-download", "of it, from hosts outside swarm.site");
  rate("far-upload", "of it, to hosts outside swarm.site");
  auto* copy = command("copy", "an image from one cloud's Glance to another's, verified");
  copy->add_flag("--json", options.json, "for programs: one object (docs/operations.md)");
  copy->add_option("IMAGE", options.image, "its ID in Glance, or the name that one image of the project has")
      ->type_name(" ")
      ->required();
  for (auto const& [name, value] : {std::pair{"--from", &options.from}, std::pair{"--to", &options.to}}) {
    copy->add_option(name, *value, "name of a cloud in clouds.yaml")->type_name("CLOUD")->required();
  }
  copy->add_option("--clouds-file", options.clouds_file,
                   "default: as other OpenStack clients, else /etc/imageswarm/clouds.yaml")
      ->type_name("FILE");
  auto* deploy = listing("deploy", "make the appliances of a grid and put them into the sinks (docs/appliances.md)");
  deploy->add_option("GRID", options.grid, "a folder in the configuration's `grids`")->type_name(" ")->required();
  deploy->add_flag("--show", options.only_show, "only show its components and how they are related");
  auto* ready = command("ready", "wait until an image, or all, is in all its sinks");
  image(ready, false);
  ready->add_flag("--all", options.all, "every image that is selected for this host");
  ready->add_option("--timeout", texts.timeout, "how long to wait; without it, as long as it takes")
      ->type_name("SECONDS");
}

Result<> take_rates(std::map<std::string, std::string> const& texts, std::map<std::string, Rate>& into) {
  for (auto const& [key, text] : texts) {
    if (text.empty()) continue;
    auto const rate = parse_rate(text);
    if (!rate) return fail(Error{rate.error()}.in("--" + key));
    into[key] = *rate;
  }
  return {};
}

/// What CLI11 does not check.
Result<> complete(Options& options, Texts const& texts) {
  if (options.verb.empty()) return fail(Fault::usage, "which command? See imageswarmctl --help");
  if (options.verb == "ready" && options.all != options.image.empty()) {
    return fail(Fault::usage, "ready: name one IMAGE, or give --all");
  }
  if (!texts.timeout.empty()) {
    auto const seconds = parse_number(texts.timeout, 0, 1'000'000'000);
    if (!seconds) return fail(Error{seconds.error()}.in("--timeout"));
    options.timeout = std::chrono::seconds{*seconds};
  }
  return take_rates(texts.rates, options.rates);
}

int report(Error const& error) {
  fmt::print(stderr, "imageswarmctl: {}\n", error.line());
  return exit_status(error.fault);
}

}  // namespace

int run_program(int argc, char const* const* argv) {
  Options options;
  Texts texts;
  CLI::App app{"imageswarmctl asks and tells the imageswarmd of this host.", "imageswarmctl"};
  app.footer(footer);
  app.set_version_flag("--version", "imageswarmctl " IMAGESWARM_VERSION);
  app.add_option("--socket", options.socket, "control socket of imageswarmd")->type_name("PATH")->capture_default_str();
  app.require_subcommand(0, 1);
  app.fallthrough();
  add_commands(app, options, texts);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return report({Fault::usage, fmt::format("{}; see imageswarmctl --help", printable(error.what()))});
  }
  auto const done = complete(options, texts).and_then([&options] { return run(options); });
  return done ? *done : report(done.error());
}

}  // namespace imageswarm::ctl
