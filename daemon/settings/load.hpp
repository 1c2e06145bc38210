#pragma once

#include <filesystem>
#include <string_view>

#include "common/base/result.hpp"
#include "daemon/flow/settings.hpp"

namespace imageswarm::settings {

/// Reads and checks the configuration (docs/operations.md): an unknown key, a wrong value or a missing one is refused,
/// and the error names file and line. Fills in what is found out (host name, architecture, sink names). Faults:
/// config-missing, config-syntax, config-unknown-key, config-value.
[[nodiscard]] Result<flow::Settings> load(std::filesystem::path const& file);
/// The same from text; `file` is for messages.
[[nodiscard]] Result<flow::Settings> parse(std::string_view text, std::filesystem::path const& file);

}  // namespace imageswarm::settings
