#include "daemon/flow/arrival.hpp"

#include <algorithm>

namespace imageswarm::flow {

void Arrival::reached(ByteCount in_order) {
  std::lock_guard const lock{mutex_};
  in_order_ = std::max(in_order_, in_order);
  changed_.notify_all();
}

void Arrival::close() {
  std::lock_guard const lock{mutex_};
  closed_ = true;
  changed_.notify_all();
}

ByteCount Arrival::in_order() const {
  std::lock_guard const lock{mutex_};
  return in_order_;
}

Result<> Arrival::wait(ByteCount end, std::chrono::steady_clock::time_point deadline,
                       std::stop_token const& stop) const {
  std::unique_lock lock{mutex_};
  changed_.wait_until(lock, stop, deadline, [&] { return in_order_ >= end || closed_; });
  if (in_order_ >= end) return {};
  return fail(Fault::cancelled, "the artefact does not arrive; it is worked on when it is here");
}

}  // namespace imageswarm::flow
