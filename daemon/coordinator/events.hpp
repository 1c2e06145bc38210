#pragma once

#include <optional>

#include "daemon/coordinator/record.hpp"
#include "daemon/hooks/event.hpp"
#include "daemon/state/departure.hpp"

namespace imageswarm::coordinator {

// What hooks are told follows from what is so: whatever differs from the last announcement is an event, also when the
// daemon did not live to see it happen.

/// Usable, or failed so that another try would not mend it soon. Nothing while it is on its way, nor when it had to go:
/// then its departure counts.
std::optional<state::Announcement> announcement_of(Record const& record);
state::Announcement announcement_of(state::Departure const& departure);

hooks::Event event_of(Record const& record, state::Announcement announcement);
hooks::Event event_of(state::Departure const& departure);

}  // namespace imageswarm::coordinator
