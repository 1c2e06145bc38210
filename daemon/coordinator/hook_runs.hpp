#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "common/base/clock.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/hooks/queue.hpp"

namespace imageswarm::coordinator {

/// Runs what the queue of hooks has due, each on a thread of the pool. Lives on the loop thread.
class HookRuns {
public:
  HookRuns(boost::asio::io_context& loop, Workers& workers, hooks::Queue& queue, Clock const& clock,
           std::function<void(Fault)> said);

  /// Starts what is due. Call it when something was announced or configured.
  void look();

private:
  void start(hooks::Task task);

  Workers& workers_;
  hooks::Queue& queue_;
  Clock const& clock_;
  std::function<void(Fault)> said_;
  boost::asio::steady_timer timer_;
};

}  // namespace imageswarm::coordinator
