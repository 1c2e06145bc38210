#include "daemon/state/board.hpp"

#include <algorithm>
#include <array>

namespace imageswarm::state {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 12> image_states{"not-selected", "not-approved", "fetching", "verifying",
                                                        "preparing",    "registering",  "active",   "superseded",
                                                        "expired",      "withdrawn",    "recalled", "failed"};
constexpr std::array<std::string_view, 5> subscription_states{"current", "stale", "expired", "refused", "unreachable"};
constexpr std::array<std::string_view, 4> sink_states{"absent", "working", "present", "failed"};

constexpr std::array<std::string_view, 5> component_states{"waiting", "preparing", "registering", "present", "failed"};

}  // namespace

std::string_view name_of(ImageState state) {
  return image_states.at(static_cast<std::size_t>(state));
}

std::optional<ImageState> image_state_of(std::string_view name) {
  auto const found = std::ranges::find(image_states, name);
  if (found == image_states.end()) return std::nullopt;
  return static_cast<ImageState>(found - image_states.begin());
}

std::string_view name_of(SubscriptionState state) {
  return subscription_states.at(static_cast<std::size_t>(state));
}

std::string_view name_of(SinkState state) {
  return sink_states.at(static_cast<std::size_t>(state));
}

std::string_view name_of(ComponentState state) {
  return component_states.at(static_cast<std::size_t>(state));
}

}  // namespace imageswarm::state
