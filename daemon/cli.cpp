#include "daemon/cli.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "common/base/units.hpp"

namespace imageswarm::daemon {
namespace {

constexpr auto about =
    "imageswarmd: brings the virtual machine images that endorsers signed and the site approved onto this host.\n\n"
    "It verifies every signed document itself, fetches images from its neighbours and registers them in its sinks.\n"
    "Started by systemd as imageswarmd.service; imageswarmctl talks to it.";

constexpr auto more =
    "Signals:     SIGHUP reloads the configuration without breaking transfers; SIGTERM stops within seconds.\n"
    "Exit status: 0 done, 1 failed, 2 wrong arguments or configuration, 3 no subscription gives trust (--once),\n"
    "             4 partly done (--once): what is missing has been listed.\n"
    "Examples:    imageswarmd --check-config --config ./imageswarmd.yaml\n"
    "             imageswarmd --once --timeout 600";

}  // namespace

std::variant<Options, int> parse_arguments(int argc, char** argv) {
  Options options;
  std::string config = options.config.native();
  std::uint64_t timeout = 0;
  CLI::App app{about, "imageswarmd"};
  app.footer(more);
  app.set_version_flag("--version", "imageswarmd " IMAGESWARM_VERSION);
  app.add_option("--config", config, "configuration file")->type_name("FILE")->capture_default_str();
  app.add_flag("--check-config", options.check_config, "read the configuration, say whether it is right, and exit");
  auto* const once = app.add_flag("--once", options.once, "one whole round (refresh, fetch, sinks), then exit");
  auto* const limit = app.add_option("--timeout", timeout, "give up a round after so many seconds")
                          ->type_name("SECONDS")
                          ->needs(once)
                          ->check(CLI::Range(1u, 10'000'000u));
  app.add_flag("--verbose", options.verbose, "say what is only of use when looking for a fault");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.config = config;
  if (limit->count() > 0) options.timeout = std::chrono::seconds{static_cast<std::int64_t>(timeout)};
  return options;
}

}  // namespace imageswarm::daemon
