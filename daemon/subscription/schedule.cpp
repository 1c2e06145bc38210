#include "daemon/subscription/schedule.hpp"

#include <algorithm>

namespace imageswarm::subscription {
namespace {

std::chrono::milliseconds scaled(std::chrono::milliseconds span, double factor) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(static_cast<double>(span.count()) * factor)};
}

}  // namespace

std::chrono::milliseconds Schedule::after_success(double dice) {
  failures_ = 0;
  return scaled(refresh_, 0.9 + 0.2 * dice);
}

std::chrono::milliseconds Schedule::after_failure(double dice) {
  static constexpr std::chrono::milliseconds first{5000};
  auto const doubled = first * (1 << std::min(failures_, 16u));
  ++failures_;
  return scaled(std::min<std::chrono::milliseconds>(doubled, refresh_), 0.5 + 0.5 * dice);
}

}  // namespace imageswarm::subscription
