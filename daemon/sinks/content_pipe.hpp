#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "common/base/result.hpp"

namespace imageswarm::sinks {

/// Carries content from the thread that unpacks it to the one that uploads it, a few MiB at a time.
///
/// The last byte is held back until the unpacker has said that all of it is right. An upload that announced its length
/// therefore cannot be completed with content that is not: it is cut off instead.
class ContentPipe {
public:
  /// Unpacker's side: blocks while the pipe is full. Fault cancelled: the reader is gone.
  [[nodiscard]] Result<> push(std::span<std::byte const> data);
  /// Unpacker's side, last: was it right?
  void finish(Result<> verdict);

  /// Uploader's side: at least one byte unless the content ended well. Faults: the verdict's, cancelled.
  [[nodiscard]] Result<std::size_t> pull(std::span<std::byte> room, std::stop_token const& stop);
  /// Uploader's side, last: nobody will pull any more.
  void abandon();

  /// Why the unpacker gave up, if it did.
  std::optional<Error> failure() const;

private:
  std::size_t ready() const;  ///< bytes that may be pulled now; with the mutex held

  mutable std::mutex mutex_;  ///< guards all that follows
  std::condition_variable_any changed_;
  std::deque<std::vector<std::byte>> chunks_;
  std::size_t taken_ = 0;     ///< of the first chunk
  std::size_t buffered_ = 0;  ///< in all chunks, without what was taken
  std::optional<Result<>> verdict_;
  bool abandoned_ = false;
};

}  // namespace imageswarm::sinks
