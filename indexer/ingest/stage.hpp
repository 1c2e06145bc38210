#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "common/base/result.hpp"

namespace imageswarm::ingest {

/// A piece of the stream, shared by all stages that read it.
using Chunk = std::shared_ptr<std::vector<std::byte> const>;

/// A thread that works through chunks in the order in which they are given.
class Stage {
public:
  explicit Stage(std::function<Result<>(Chunk const&)> work);
  ~Stage();  ///< gives up what is still queued and waits for the thread
  Stage(Stage const&) = delete;
  Stage& operator=(Stage const&) = delete;

  /// Blocks while the queue is full; the error of the work as soon as it has failed. One caller's thread only.
  [[nodiscard]] Result<> push(Chunk chunk);
  /// No more chunks will come: waits until the last one is done.
  [[nodiscard]] Result<> finish();

private:
  void run();
  void close(bool discard);

  /// Chunks that wait; each is 1 MiB at most.
  static constexpr std::size_t longest_queue = 8;

  std::function<Result<>(Chunk const&)> work_;
  std::mutex mutex_;  // guards the four below
  std::condition_variable changed_;
  std::deque<Chunk> queue_;
  bool closed_ = false;
  Result<> outcome_;
  std::thread thread_;  // last, so that everything it uses is there before it and after it
};

/// Work that gives every chunk to `consumer`, which outlives the stage.
template <class Consumer>
std::function<Result<>(Chunk const&)> feeding(Consumer& consumer) {
  return [&consumer](Chunk const& chunk) -> Result<> {
    consumer.update(std::span{*chunk});
    return {};
  };
}

}  // namespace imageswarm::ingest
