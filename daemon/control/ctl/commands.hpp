#pragma once

#include <chrono>
#include <filesystem>
#include <map>
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
  std::string from, to;               ///< clouds of `copy`
  std::filesystem::path clouds_file;  ///< of these; empty = openstack::usual_clouds_file
  std::string grid;
  bool only_show = false;  ///< of `deploy`
  bool json = false;
  bool watch = false;
  bool all = false;
  std::optional<std::chrono::seconds> timeout;
  std::map<std::string, Rate> rates;  ///< of `limit`, by the key of the request: download, upload, far-…
};

/// Does it; answers go to stdout. The exit status: 0, or 4 where `deploy` is partly done. Faults: daemon-unreachable,
/// timeout of `ready`, and what the daemon answers with.
[[nodiscard]] Result<int> run(Options const& options);

}  // namespace imageswarm::ctl
