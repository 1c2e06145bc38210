#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::coordinator {

/// Both clocks of the host at one moment.
struct ClockReading {
  TimePoint wall;                   ///< time of day, which people, programs and networks may set
  std::chrono::seconds since_boot;  ///< CLOCK_BOOTTIME, which nobody sets
};
ClockReading read_clocks();

/// More than this at once between two looks is a jump; less is a clock that runs a little wrong.
inline constexpr std::chrono::hours longest_step{1};

/// The time that decisions are made by (docs/security.md, "Time"): "now" as it was at the last look, so that it does
/// not change within a round; never before the time floor. When the time of day jumps, time is reckoned on from before
/// the jump by the time since boot, until two refreshes of one source find the same jump. Lives on the loop thread.
class Timekeeper final : public Clock {
public:
  struct Surroundings {
    state::State& state;
    std::string boot_id;
    std::function<ClockReading()> read;
    std::function<void(Fault)> said;  ///< counts a fault that was logged
  };

  explicit Timekeeper(Surroundings surroundings);

  TimePoint now() const override { return now_; }
  void look();
  /// A source has answered: the second of its answers that finds the same jump ends it.
  void on_refresh(std::string const& source);
  /// Why nothing may be decided now: clock-jump or clock-behind.
  std::optional<Error> const& trouble() const { return trouble_; }

private:
  void follow(TimePoint booted);
  void set_trouble(std::optional<Error> trouble);
  TimePoint time_floor() const;

  Surroundings around_;
  TimePoint booted_;               ///< when the host was started, by the time of day that is believed
  std::optional<TimePoint> kept_;  ///< `booted_` as it is in state
  TimePoint now_;
  std::optional<Error> trouble_;
  std::map<std::string, TimePoint> jumped_to_;  ///< `booted_` as each source's last answer since the jump found it
};

}  // namespace imageswarm::coordinator
