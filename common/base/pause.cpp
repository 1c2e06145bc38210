#include "common/base/pause.hpp"

#include <condition_variable>
#include <mutex>

namespace imageswarm {

bool pause(std::chrono::nanoseconds span, std::stop_token const& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, span, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace imageswarm
