#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct SignOptions {
  std::filesystem::path list;
  std::string certificate;
  std::string key;
  std::filesystem::path output;
  std::chrono::seconds lifetime = std::chrono::days{28};
};

/// Signs an approval or endorser list: sets serial, issued and expires. The unsigned list keeps the serial that comes
/// next, so the count goes on wherever the signed file was moved to; an older output with a higher one counts too.
/// Faults: usage (also for included lists that no synchronisation has seen), doc-…, those of signing, disk faults.
[[nodiscard]] Result<> sign(SignOptions const& options, Context& context);

}  // namespace imageswarm::commands
