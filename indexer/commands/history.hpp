#pragma once

#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// Who did what and when, to one image or (empty) to everything. Fault: not-found.
[[nodiscard]] Result<> history(std::string const& image, store::Store const& store, Context& context);

}  // namespace imageswarm::commands
