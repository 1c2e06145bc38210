#include "daemon/coordinator/timekeeper.hpp"

#include <algorithm>
#include <utility>

#include "common/base/boot.hpp"
#include "common/base/log.hpp"
#include "common/trust/acceptance.hpp"

namespace imageswarm::coordinator {
namespace {

TimePoint booted_by(ClockReading const& reading) {
  return reading.wall - reading.since_boot;
}

bool is_jump(TimePoint from, TimePoint to) {
  return std::chrono::abs(to - from) > longest_step;
}

}  // namespace

ClockReading read_clocks() {
  return {SystemClock{}.now(), time_since_boot()};
}

Timekeeper::Timekeeper(Surroundings surroundings) : around_{std::move(surroundings)} {
  auto const kept = around_.state.boot_clock();
  if (!kept) log_warning("{}", kept.error().line());
  // What an earlier run of this boot believed: the clock may have jumped while no daemon was running.
  bool const same_boot = kept && *kept && (*kept)->boot_id == around_.boot_id;
  if (same_boot) kept_ = (*kept)->booted;
  booted_ = kept_.value_or(booted_by(around_.read()));
  look();
}

void Timekeeper::look() {
  auto const reading = around_.read();
  auto const booted = booted_by(reading);
  auto const floor = time_floor();
  // A clock that was known to be wrong is set right: no jump.
  bool const was_behind = booted_ + reading.since_boot < floor - trust::clock_tolerance;
  bool const jumped = is_jump(booted_, booted) && !(was_behind && reading.wall >= floor - trust::clock_tolerance);
  if (!jumped) follow(booted);
  auto const reckoned = booted_ + reading.since_boot;
  now_ = std::max(reckoned, floor);
  if (jumped) {
    set_trouble(
        Error{Fault::clock_jump,
              fmt::format("this host's clock went from {} to {} at once; everything is held until two refreshes "
                          "of one source find it there",
                          format_time(reckoned), format_time(reading.wall))});
  } else if (auto const behind = trust::check_clock({reckoned, floor}); !behind) {
    set_trouble(behind.error());
  } else {
    set_trouble(std::nullopt);
  }
}

void Timekeeper::on_refresh(std::string const& source) {
  look();
  if (!trouble_ || trouble_->fault != Fault::clock_jump) return;
  auto const booted = booted_by(around_.read());
  auto const [last, is_first] = jumped_to_.try_emplace(source, booted);
  bool const agrees = !is_first && std::chrono::abs(booted - last->second) <= trust::clock_tolerance;
  last->second = booted;
  if (!agrees) return;
  follow(booted);
  look();
}

void Timekeeper::follow(TimePoint booted) {
  booted_ = booted;
  jumped_to_.clear();
  // Clocks are always being adjusted a little.
  if (kept_ && std::chrono::abs(booted - *kept_) <= std::chrono::minutes{1}) return;
  if (auto kept = around_.state.keep_boot_clock({around_.boot_id, booted}); !kept) {
    return log_warning("{}", kept.error().line());
  }
  kept_ = booted;
}

void Timekeeper::set_trouble(std::optional<Error> trouble) {
  bool const same = trouble.has_value() == trouble_.has_value() && (!trouble || trouble->fault == trouble_->fault);
  if (same) return;  // with the times as they were first said
  trouble_ = std::move(trouble);
  if (trouble_) {
    log_error("{}", trouble_->line());
    around_.said(trouble_->fault);
  } else {
    log_info("it is {}; what was held for the clock goes on", format_time(now_));
  }
}

/// A floor that cannot be read stops nothing here: accepting a document fails then anyway.
TimePoint Timekeeper::time_floor() const {
  return around_.state.time_floor().value_or(build_time());
}

}  // namespace imageswarm::coordinator
