#pragma once

#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct RenameOptions {
  std::string image;
  std::string new_name;
};

/// Gives one image another name; family, image ID and files stay. Faults: not-found, usage, exists (another family has
/// that name).
[[nodiscard]] Result<> rename(RenameOptions const& options, store::Store& store, Context& context);

}  // namespace imageswarm::commands
