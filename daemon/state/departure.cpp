#include "daemon/state/departure.hpp"

#include <algorithm>

namespace imageswarm::state {

std::optional<TimePoint> confirmed_at(Departure const& departure) {
  auto last = departure.unseeded;
  for (auto const& sink : departure.sinks) {
    if (!last || !sink.is_done() || !sink.at) return std::nullopt;
    last = std::max(*last, *sink.at);
  }
  return last;
}

}  // namespace imageswarm::state
