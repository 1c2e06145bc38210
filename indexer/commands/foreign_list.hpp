#pragma once

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "indexer/commands/import.hpp"
#include "indexer/exchange/foreign.hpp"

namespace imageswarm::commands {

/// Fetches the list that the options name, verifies it as its format demands, and reads it.
/// Faults: usage (what the format needs is not given), those of fetching and of the formats.
[[nodiscard]] Result<exchange::ForeignList> read_foreign_list(ImportOptions const& options, TimePoint now);

}  // namespace imageswarm::commands
