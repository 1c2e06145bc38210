#pragma once

#include <filesystem>
#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// The CA in this file, fit to guard private images now, in the form in which torrents have it. Faults: usage,
/// cert-expired, cert-not-yet-valid.
[[nodiscard]] Result<std::string> read_swarm_ca(std::filesystem::path const& file, TimePoint now);

/// Private images that are added from now on are for this CA's hosts; those that are there keep theirs, which is part
/// of their torrents. Faults: as above, disk faults.
[[nodiscard]] Result<> set_swarm_ca(std::filesystem::path const& file, store::Store& store, Context& context);

}  // namespace imageswarm::commands
