#pragma once

#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// One image with its whole entry. Fault: not-found.
[[nodiscard]] Result<> show(std::string const& image, store::Store const& store, Context& context);

}  // namespace imageswarm::commands
