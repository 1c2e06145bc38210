#pragma once

#include <vector>

#include "daemon/state/database.hpp"
#include "daemon/state/departure.hpp"

// Departures in the state file; nobody but state.cpp includes this.

namespace imageswarm::state {

/// In the order in which they departed. Fault: state-corrupt, without the name of the file.
[[nodiscard]] Result<std::vector<Departure>> read_departures(Database const& database);
/// In the place of what was known of the same image; within a transaction.
[[nodiscard]] Result<> write_departure(Database& database, Departure const& departure);
[[nodiscard]] Result<> remove_departure(Database& database, Uuid const& image_id);

}  // namespace imageswarm::state
