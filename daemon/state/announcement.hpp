#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/uuid.hpp"
#include "daemon/flow/event.hpp"

namespace imageswarm::state {

/// What the site's programs were told last of an image.
struct Announcement {
  Uuid image_id;
  flow::EventKind event{};
  std::string detail;  ///< tells two events of one kind apart: where it is available, why it failed

  bool operator==(Announcement const&) const = default;
};

/// One event that one program must still be told.
struct Delivery {
  std::int64_t number = 0;  ///< in the order of the events
  std::string hook;         ///< flow::HookSettings::name()
  Uuid image_id;
  flow::EventKind event{};
  std::string body;  ///< JSON (docs/formats.md, "What a hook is told")
  TimePoint since;
};

}  // namespace imageswarm::state
