#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>

#include "common/base/result.hpp"

namespace imageswarm::coordinator {

/// Says when the anchors may have changed on disk: a file written, renamed into place or removed, a link that leads
/// elsewhere. Once for a burst of changes, half a second after its first: a tool that replaces a hundred CRLs makes
/// several calls. On the loop thread.
class AnchorWatch {
public:
  AnchorWatch(boost::asio::io_context& loop, std::function<void()> changed);

  /// Watches this directory or file instead of what was watched before; an absolute path. Faults: not-found,
  /// permission, disk-error (no inotify); then nothing is watched.
  [[nodiscard]] Result<> watch(std::filesystem::path const& anchors);

private:
  [[nodiscard]] Result<> add_watches();
  [[nodiscard]] Result<int> add_watch(std::filesystem::path const& directory);
  void listen();
  bool read_events();
  void announce();

  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer burst_;
  std::function<void()> changed_;
  std::filesystem::path anchors_;
  int parent_ = -1;  ///< watch of the directory that holds the name of the anchors
  bool in_burst_ = false;
};

}  // namespace imageswarm::coordinator
