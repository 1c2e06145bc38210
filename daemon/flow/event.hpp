#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace imageswarm::flow {

/// What happens to an image that programs of the site are told of (docs/operations.md, "Hooks").
enum class EventKind : std::uint8_t { available, superseded, withdrawn, recalled, failed };
std::string_view name_of(EventKind kind);
std::optional<EventKind> event_of(std::string_view name);

}  // namespace imageswarm::flow
