#include "indexer/ingest/stage.hpp"

#include <utility>

namespace imageswarm::ingest {

Stage::Stage(std::function<Result<>(Chunk const&)> work) : work_{std::move(work)}, thread_{[this] { run(); }} {}

Stage::~Stage() {
  close(true);
  if (thread_.joinable()) thread_.join();
}

Result<> Stage::push(Chunk chunk) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return queue_.size() < longest_queue || !outcome_; });
  if (!outcome_) return outcome_;
  queue_.push_back(std::move(chunk));
  changed_.notify_all();
  return {};
}

Result<> Stage::finish() {
  close(false);
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

void Stage::close(bool discard) {
  std::lock_guard const lock{mutex_};
  closed_ = true;
  if (discard) queue_.clear();
  changed_.notify_all();
}

void Stage::run() {
  for (;;) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !queue_.empty() || closed_; });
    if (queue_.empty()) return;
    auto const chunk = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    lock.unlock();
    auto done = work_(chunk);
    if (done) continue;
    lock.lock();
    outcome_ = std::move(done);
    queue_.clear();
    changed_.notify_all();
    return;
  }
}

}  // namespace imageswarm::ingest
