#pragma once

#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct WithdrawOptions {
  std::string image;
  std::string reason;
};

/// Takes an image back: with the next publication it is on the list of withdrawn ones. One that was never published is
/// forgotten at once. Faults: not-found, usage (withdrawn already).
[[nodiscard]] Result<> withdraw(WithdrawOptions const& options, store::Store& store, Context& context);

}  // namespace imageswarm::commands
