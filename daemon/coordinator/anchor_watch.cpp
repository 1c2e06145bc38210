#include "daemon/coordinator/anchor_watch.hpp"

#include <sys/inotify.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <chrono>

#include "common/base/file.hpp"
#include "common/base/log.hpp"

namespace imageswarm::coordinator {
namespace {

constexpr std::chrono::milliseconds burst{500};

/// Everything that can change what a name in a directory holds; a write counts when it is finished.
constexpr std::uint32_t changes =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

AnchorWatch::AnchorWatch(boost::asio::io_context& loop, std::function<void()> changed)
    : events_{loop}, burst_{loop}, changed_{std::move(changed)} {}

Result<> AnchorWatch::watch(std::filesystem::path const& anchors) {
  anchors_ = anchors.lexically_normal();
  if (!anchors_.has_filename()) anchors_ = anchors_.parent_path();  // written with a slash at its end
  boost::system::error_code ignored;
  events_.close(ignored);
  int const fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fail(errno_error(errno, "watching", anchors));
  events_.assign(fd);
  if (auto done = add_watches(); !done) {
    events_.close(ignored);
    return done;
  }
  listen();
  return {};
}

Result<> AnchorWatch::add_watches() {
  std::error_code error;
  bool const is_directory = std::filesystem::is_directory(anchors_, error);
  // The name itself may be a link that is led elsewhere, or a file that is replaced.
  auto const parent = add_watch(anchors_.parent_path());
  if (!parent) return fail(parent.error());
  parent_ = *parent;
  if (!is_directory) return {};
  return add_watch(anchors_).map([](int) {});
}

Result<int> AnchorWatch::add_watch(std::filesystem::path const& directory) {
  int const watch = ::inotify_add_watch(events_.native_handle(), directory.c_str(), changes);
  if (watch < 0) return fail(errno_error(errno, "watching", directory));
  return watch;
}

void AnchorWatch::listen() {
  events_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    if (read_events() && !in_burst_) announce();
    listen();
  });
}

/// Takes what the kernel has; does any of it concern the anchors?
bool AnchorWatch::read_events() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  bool concerned = false;
  for (;;) {
    auto const size = ::read(events_.native_handle(), buffer.data(), buffer.size());
    if (size <= 0) return concerned;
    for (auto at = buffer.data(); at < buffer.data() + size;) {
      auto const& event = *reinterpret_cast<inotify_event const*>(at);
      // Beside the anchors there may be files of others. What concerns a directory itself has no name.
      concerned = concerned || event.wd != parent_ || event.len == 0 || anchors_.filename() == event.name;
      at += sizeof(inotify_event) + event.len;
    }
  }
}

void AnchorWatch::announce() {
  in_burst_ = true;
  burst_.expires_after(burst);
  burst_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    in_burst_ = false;
    // What the name leads to now may be another directory.
    if (auto done = add_watches(); !done) {
      log_warning("the trust anchors are not watched until the next change: {}", done.error().line());
    }
    changed_();
  });
}

}  // namespace imageswarm::coordinator
