#pragma once

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// All images of the store, by name and version.
[[nodiscard]] Result<> list(store::Store const& store, Context& context);

}  // namespace imageswarm::commands
