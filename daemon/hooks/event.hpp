#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/uuid.hpp"
#include "daemon/flow/values.hpp"
#include "daemon/state/announcement.hpp"
#include "daemon/state/board.hpp"

namespace imageswarm::hooks {

/// Something that happened to an image.
struct Event {
  state::Announcement announcement;
  flow::Want want;
  state::ImageState state{};  ///< that the image came to
  std::string reason;         ///< why it had to go; else empty
  std::vector<state::SinkStatus> sinks;
  std::optional<Error> error;  ///< of what failed
};

/// As programs are told of it: one line of JSON (docs/formats.md, "What a hook is told").
std::string told(Event const& event, Uuid const& id, std::string const& host, TimePoint now);

}  // namespace imageswarm::hooks
