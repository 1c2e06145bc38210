#include "daemon/sinks/content_pipe.hpp"

#include <algorithm>

#include "common/base/units.hpp"

namespace imageswarm::sinks {
namespace {

constexpr std::size_t capacity = ByteCount{8_MiB}.value;

}  // namespace

Result<> ContentPipe::push(std::span<std::byte const> data) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return abandoned_ || buffered_ < capacity; });
  if (abandoned_) return fail(Fault::cancelled, "nobody takes the content any more");
  chunks_.emplace_back(data.begin(), data.end());
  buffered_ += data.size();
  changed_.notify_all();
  return {};
}

void ContentPipe::finish(Result<> verdict) {
  std::lock_guard const lock{mutex_};
  verdict_ = std::move(verdict);
  changed_.notify_all();
}

Result<std::size_t> ContentPipe::pull(std::span<std::byte> room, std::stop_token const& stop) {
  std::unique_lock lock{mutex_};
  if (!changed_.wait(lock, stop, [this] { return verdict_ || ready() > 0; })) {
    return fail(Fault::cancelled, "stopped while uploading");
  }
  if (verdict_ && !*verdict_) return fail(verdict_->error());
  auto const count = std::min(room.size(), ready());
  for (std::size_t given = 0; given < count;) {
    auto const rest = std::span{chunks_.front()}.subspan(taken_);
    auto const part = rest.first(std::min(rest.size(), count - given));
    std::ranges::copy(part, room.begin() + static_cast<std::ptrdiff_t>(given));
    given += part.size();
    taken_ += part.size();
    if (taken_ < chunks_.front().size()) continue;
    chunks_.pop_front();
    taken_ = 0;
  }
  buffered_ -= count;
  changed_.notify_all();
  return count;
}

void ContentPipe::abandon() {
  std::lock_guard const lock{mutex_};
  abandoned_ = true;
  changed_.notify_all();
}

std::optional<Error> ContentPipe::failure() const {
  std::lock_guard const lock{mutex_};
  if (!verdict_ || *verdict_) return std::nullopt;
  return verdict_->error();
}

std::size_t ContentPipe::ready() const {
  if (verdict_) return buffered_;
  return buffered_ > 1 ? buffered_ - 1 : 0;
}

}  // namespace imageswarm::sinks
