#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::flow {

/// How much of an artefact is here, from its beginning on without a gap, every byte of it checked in this run. The
/// swarm says so, and who reads ahead waits for it. Thread-safe.
class Arrival {
public:
  void reached(ByteCount in_order);  ///< less than before counts for nothing
  void close();                      ///< no more will come: who waits gives up
  ByteCount in_order() const;

  /// Blocks until the first `end` bytes are here. Fault cancelled: they were not by `deadline`, or will not be.
  [[nodiscard]] Result<> wait(ByteCount end, std::chrono::steady_clock::time_point deadline,
                              std::stop_token const& stop) const;

private:
  std::mutex mutable mutex_;  ///< guards what follows
  std::condition_variable_any mutable changed_;
  ByteCount in_order_;
  bool closed_ = false;
};

}  // namespace imageswarm::flow
