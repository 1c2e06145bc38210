#pragma once

#include <nlohmann/json_fwd.hpp>
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

/// The same for an item that is not withdrawn yet; what became of it, as JSON.
[[nodiscard]] Result<nlohmann::ordered_json> take_back(store::Item item, std::string const& reason, store::Store& store,
                                                       Context& context);

}  // namespace imageswarm::commands
