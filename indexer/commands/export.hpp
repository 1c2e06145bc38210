#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct ExportOptions {
  std::filesystem::path file;
  std::string format;    ///< hepix, html
  std::string base_url;  ///< of the published directory
  std::filesystem::path certificate;
  std::string key;
  std::chrono::seconds lifetime = std::chrono::days{28};
};

/// Writes what is published in another format: a signed HEPiX image list, or the page for people. Images that the
/// format cannot name are listed as missing. Faults: usage, not-found, those of signing, disk faults.
[[nodiscard]] Result<> export_list(ExportOptions const& options, store::Store const& store, Context& context);

}  // namespace imageswarm::commands
