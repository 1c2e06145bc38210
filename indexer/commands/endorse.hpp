#pragma once

#include <functional>
#include <string>
#include <vector>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct EndorseOptions {
  std::vector<std::string> images;
  bool all = false;
  bool yes = false;
  /// Asks the person; nothing where there is no terminal.
  std::function<bool(std::string const& question)> ask;
};

/// Shows exactly what will be signed, asks once, marks it endorsed. Faults: not-found, usage, cancelled (the answer was
/// no).
[[nodiscard]] Result<> endorse(EndorseOptions const& options, store::Store& store, Context& context);

}  // namespace imageswarm::commands
