#include "daemon/flow/event.hpp"

#include <algorithm>
#include <array>

namespace imageswarm::flow {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 5> names{"available", "superseded", "withdrawn", "recalled", "failed"};

}  // namespace

std::string_view name_of(EventKind kind) {
  return names.at(static_cast<std::size_t>(kind));
}

std::optional<EventKind> event_of(std::string_view name) {
  auto const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<EventKind>(found - names.begin());
}

}  // namespace imageswarm::flow
