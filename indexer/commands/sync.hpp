#pragma once

#include <filesystem>

#include "common/trust/verify.hpp"
#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// Fetches and verifies every list that this one includes, also by way of others; shows what has changed in them since
/// the last time and who is accepted because of them. `sign` demands that this was done with the present inclusions.
/// Stops at the first list that does not hold, and then remembers nothing.
/// Faults: usage, doc-field (a circle, or too many lists), those of trust::verify_…, http-…, disk faults.
[[nodiscard]] Result<> endorsers_sync(std::filesystem::path const& list, trust::AnchorPolicy const& anchors,
                                      Context& context);

}  // namespace imageswarm::commands
