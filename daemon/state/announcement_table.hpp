#pragma once

#include <vector>

#include "daemon/state/announcement.hpp"
#include "daemon/state/database.hpp"

// What hooks were and must be told, in the state file; nobody but state.cpp includes this.

namespace imageswarm::state {

/// Columns image_id, event, detail. False: a column does not hold what we once wrote.
bool read_announcement(Row const& row, Announcement& announcement);
/// Columns number, hook, image_id, event, body, since.
bool read_delivery(Row const& row, Delivery& delivery);
/// Within a transaction; each delivery gets its number.
[[nodiscard]] Result<> write_announcement(Database& database, Announcement const& announcement,
                                          std::vector<Delivery>& deliveries);

}  // namespace imageswarm::state
