#include "daemon/coordinator/hook_runs.hpp"

#include <chrono>
#include <utility>

#include "common/base/log.hpp"
#include "daemon/hooks/runner.hpp"

namespace imageswarm::coordinator {

using SteadyClock = std::chrono::steady_clock;

HookRuns::HookRuns(boost::asio::io_context& loop, Workers& workers, hooks::Queue& queue, Clock const& clock,
                   std::function<void(Fault)> said)
    : workers_{workers}, queue_{queue}, clock_{clock}, said_{std::move(said)}, timer_{loop} {}

void HookRuns::look() {
  while (auto task = queue_.take(SteadyClock::now())) start(std::move(*task));
  auto const next = queue_.next_try();
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) look();
  });
}

void HookRuns::start(hooks::Task task) {
  auto const number = task.number;
  workers_.run([task = std::move(task)](std::stop_token const& stop) { return hooks::run(task.hook, task.body, stop); },
               [this, number](Result<> done) {
                 if (done) {
                   queue_.delivered(number);
                 } else {
                   said_(done.error().fault);
                   queue_.failed(number, std::move(done.error()), clock_.now(), SteadyClock::now());
                 }
                 look();
               });
}

}  // namespace imageswarm::coordinator
