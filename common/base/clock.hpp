#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm {

/// UTC, whole seconds: the resolution of every time in a signed document.
using TimePoint = std::chrono::sys_seconds;

/// Where "now" comes from: the system in the programs, a fake in the tests.
class Clock {
public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SystemClock final : public Clock {
public:
  TimePoint now() const override;
};

/// Only the form `YYYY-MM-DDThh:mm:ssZ`, and only real dates. Fault: doc-field.
[[nodiscard]] Result<TimePoint> parse_time(std::string_view text);

/// The form that `parse_time` reads.
std::string format_time(TimePoint time);

/// When this program was configured for building: no honest clock is before it.
TimePoint build_time();

}  // namespace imageswarm
