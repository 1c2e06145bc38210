#pragma once

#include <chrono>

namespace imageswarm::subscription {

/// When a source is asked again: after `refresh` while it answers, sooner at first and then ever later while it does
/// not, always with jitter so that ten thousand hosts do not ask at the same second.
class Schedule {
public:
  explicit Schedule(std::chrono::seconds refresh) : refresh_{refresh} {}

  /// `dice` is evenly spread over [0, 1). After a success: 90 to 110 per cent of `refresh`.
  std::chrono::milliseconds after_success(double dice);
  /// After the n-th failure in a row: half to all of 5 s doubled n-1 times, at most `refresh`.
  std::chrono::milliseconds after_failure(double dice);

private:
  std::chrono::seconds refresh_;
  unsigned failures_ = 0;
};

}  // namespace imageswarm::subscription
