#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct InitOptions {
  std::string name;
  std::string endorser_name;
  std::string contact;
  std::vector<std::string> trackers;
  std::vector<std::string> web_seeds;
  std::filesystem::path swarm_ca;  ///< PEM file; empty = no private images yet
};

/// Makes the store. Faults: exists, usage, those of read_swarm_ca, disk faults.
[[nodiscard]] Result<> init(InitOptions const& options, std::filesystem::path const& root, Context& context);

}  // namespace imageswarm::commands
