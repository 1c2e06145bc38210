#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.hpp"

// Values as columns hold them, and back.

namespace imageswarm::state {

inline std::int64_t seconds(TimePoint time) {
  return time.time_since_epoch().count();
}
inline TimePoint time_of(std::int64_t seconds) {
  return TimePoint{std::chrono::seconds{seconds}};
}

/// 0 stands for a time that has not come.
inline std::int64_t seconds(std::optional<TimePoint> const& time) {
  return time ? seconds(*time) : 0;
}
inline std::optional<TimePoint> optional_time_of(std::int64_t seconds) {
  return seconds == 0 ? std::nullopt : std::optional{time_of(seconds)};
}

/// A UUID or digest of a column.
template <class T>
bool take(std::string const& text, T& into) {
  auto const value = T::parse(text);
  if (value) into = *value;
  return value.has_value();
}

}  // namespace imageswarm::state
