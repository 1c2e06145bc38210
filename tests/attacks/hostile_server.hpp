#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "common/base/file.hpp"

namespace imageswarm::attacks {

/// A connection as the hostile server sees it, after it has read the request's head.
class Peer {
public:
  Peer(int fd, std::atomic<bool> const& stopping) : fd_{fd}, stopping_{stopping} {}

  /// False as soon as nobody listens any more.
  bool send(std::string_view bytes) const;
  bool wait(std::chrono::milliseconds span) const;

private:
  int fd_;
  std::atomic<bool> const& stopping_;
};

/// Listens on loopback and says what an honest server would not; one connection after the other.
class HostileServer {
public:
  using Answer = std::function<void(Peer const& peer, std::string const& path)>;

  explicit HostileServer(Answer answer);
  ~HostileServer();
  std::string url(std::string_view path = "/catalogue.yaml") const;
  int port() const { return port_; }

private:
  void serve(Answer const& answer);

  UniqueFd listening_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace imageswarm::attacks
