#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::ctl {

/// The command line, taken apart.
struct Options {
  std::filesystem::path socket = "/run/imageswarm/imageswarmd.sock";
  std::string verb;
  std::string image;
  std::string document;
  bool json = false;
  bool watch = false;
  bool all = false;
  std::optional<std::chrono::seconds> timeout;
  std::optional<Rate> download, upload;
};

/// Does it; answers go to stdout. Faults: daemon-unreachable, timeout of `ready`, and what the daemon answers with.
[[nodiscard]] Result<> run(Options const& options);

}  // namespace imageswarm::ctl
