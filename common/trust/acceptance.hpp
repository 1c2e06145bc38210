#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "common/trust/verify.hpp"

namespace imageswarm::trust {

/// How far two honest clocks may be apart.
inline constexpr std::chrono::minutes clock_tolerance{5};
/// Longest time from `issued` to `expires`.
inline constexpr std::chrono::days max_lifetime{90};
/// Most that a serial may grow at once, so that one signature cannot use up the range for ever. Serials taken from a
/// clock in seconds still pass after three years; after a greater step the epoch has to be raised.
inline constexpr std::uint64_t max_serial_jump = 100'000'000;

/// Fault: clock-behind; then nothing can be judged.
[[nodiscard]] Result<> check_clock(Time const& time);

/// Name, epoch and times of a document whose signature is good. Faults: doc-name, doc-epoch, doc-field (a lifetime that
/// is too long), doc-future, doc-expired.
[[nodiscard]] Result<> check_header(document::Header const& header, Expectation const& expected, TimePoint now);

/// The document against what was accepted of it before, if anything. A new epoch starts afresh.
/// Faults: serial-rollback, serial-jump, equivocation.
[[nodiscard]] Result<> check_serial(Floor const& document, Floor const& accepted);

}  // namespace imageswarm::trust
