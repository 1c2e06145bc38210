#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

namespace imageswarm::daemon {

/// What the command line asks for.
struct Options {
  std::filesystem::path config = "/etc/imageswarm/imageswarmd.yaml";
  bool check_config = false;
  bool once = false;
  std::optional<std::chrono::seconds> timeout;  ///< of `once`
  bool verbose = false;
};

/// Runs the daemon until a signal, or with `once` until the round is done. The exit status of docs/operations.md.
int run(Options const& options);

}  // namespace imageswarm::daemon
