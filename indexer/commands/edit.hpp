#pragma once

#include <string>

#include "indexer/commands/context.hpp"
#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {

struct EditOptions {
  std::string image;
  Edits edits;
};

/// Changes the entry; what was endorsed before must be endorsed again. Faults: not-found, usage.
[[nodiscard]] Result<> edit(EditOptions const& options, store::Store& store, Context& context);

/// Puts `changed` in the place of the item's entry and takes its endorsement back, if there is a difference.
[[nodiscard]] Result<> replace_entry(store::Item item, document::Image changed, std::string_view action,
                                     store::Store& store, Context& context);

}  // namespace imageswarm::commands
