#pragma once

#include <chrono>
#include <stop_token>

namespace imageswarm {

/// Sleeps for `span`, or until `stop`. False: stopped.
bool pause(std::chrono::nanoseconds span, std::stop_token const& stop);

}  // namespace imageswarm
