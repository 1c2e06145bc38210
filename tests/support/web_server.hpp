#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

namespace imageswarm::test {

/// An HTTP server with one file and byte ranges, as a web seed needs it; one connection at a time.
class WebServer {
public:
  WebServer(std::string path, std::string content, char const* address = "127.0.0.1", std::uint16_t port = 0)
      : path_{std::move(path)}, content_{std::move(content)}, address_{address} {
    int const on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in listen_at{};
    listen_at.sin_family = AF_INET;
    listen_at.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &listen_at.sin_addr);
    socklen_t size = sizeof listen_at;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&listen_at), size);
    ::listen(fd_, 16);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&listen_at), &size);
    port_ = ntohs(listen_at.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~WebServer() {
    stopping_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    if (int const peer = peer_; peer >= 0) ::shutdown(peer, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string url() const { return "http://" + address_ + ":" + std::to_string(port_) + "/"; }

private:
  void serve() {
    while (!stopping_) {
      peer_ = ::accept(fd_, nullptr, nullptr);
      if (peer_ < 0) return;
      std::string request;
      char buffer[4096];
      for (;;) {
        auto const length = ::recv(peer_, buffer, sizeof buffer, 0);
        if (length <= 0) break;
        request.append(buffer, static_cast<std::size_t>(length));
        auto const end = request.find("\r\n\r\n");
        if (end == request.npos) continue;
        auto const reply = answer(request.substr(0, end));
        request.erase(0, end + 4);
        for (std::size_t sent = 0; sent < reply.size();) {
          auto const now = ::send(peer_, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
          if (now <= 0) break;
          sent += static_cast<std::size_t>(now);
        }
      }
      ::close(peer_.exchange(-1));
    }
  }

  std::string answer(std::string const& request) const {
    if (!request.starts_with("GET " + path_ + " ")) return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    auto const range = request.find("bytes=");
    if (range == request.npos) {
      return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content_.size()) + "\r\n\r\n" + content_;
    }
    auto const first = std::stoul(request.substr(range + 6));
    auto const last = std::stoul(request.substr(request.find('-', range) + 1));
    auto const part = content_.substr(first, last - first + 1);
    return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(part.size()) +
           "\r\nContent-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
           std::to_string(content_.size()) + "\r\n\r\n" + part;
  }

  std::string path_, content_, address_;
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  std::atomic<int> peer_{-1};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace imageswarm::test
