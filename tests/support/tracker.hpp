#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace imageswarm::test {

/// An HTTP tracker on 127.0.0.1 that remembers who announced what from which address.
class Tracker {
public:
  Tracker() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0)
      throw std::runtime_error{"no port for the tracker"};
    ::listen(fd_, 16);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Tracker() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/announce"; }

  /// Answers nothing any more, but keeps the connections.
  void fall_silent() { silent_ = true; }

private:
  void serve() {
    std::set<int> unanswered;
    for (;;) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      int const peer = ::accept(fd_, reinterpret_cast<sockaddr*>(&from), &size);
      if (peer < 0) break;
      if (silent_) {
        unanswered.insert(peer);
        continue;
      }
      char request[4096];
      auto const length = ::recv(peer, request, sizeof request, 0);
      auto const body = answer({request, static_cast<std::size_t>(length > 0 ? length : 0)}, from);
      auto const reply = "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      [[maybe_unused]] auto const sent = ::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
    for (int const peer : unanswered) ::close(peer);
  }

  static std::string parameter(std::string const& request, std::string const& name) {
    auto const at = request.find(name + "=");
    if (at == request.npos) return "";
    auto const start = at + name.size() + 1;
    return request.substr(start, request.find_first_of("& ", start) - start);
  }

  std::string answer(std::string const& request, sockaddr_in const& from) {
    auto& swarm = swarms_[parameter(request, "info_hash")];
    auto const port = htons(static_cast<std::uint16_t>(std::stoul("0" + parameter(request, "port"))));
    std::string peer(6, '\0');  // the compact form of BEP 23: address and port in network order
    std::memcpy(peer.data(), &from.sin_addr, 4);
    std::memcpy(peer.data() + 4, &port, 2);
    parameter(request, "event") == "stopped" ? void(swarm.erase(peer)) : void(swarm.insert(peer));
    std::string peers;
    for (auto const& known : swarm) peers += known;
    return "d8:intervali60e5:peers" + std::to_string(peers.size()) + ":" + peers + "e";
  }

  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  std::atomic<bool> silent_{false};
  std::map<std::string, std::set<std::string>> swarms_;
  std::thread thread_;
};

}  // namespace imageswarm::test
