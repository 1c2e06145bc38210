#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "common/base/file.hpp"

namespace imageswarm::test {

/// A bare TCP connection, from an address of its own if that matters.
class Caller {
public:
  Caller(std::string const& address, std::uint16_t port, std::string const& own = "0.0.0.0") {
    auto const from = place(own, 0), to = place(address, port);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr const*>(&from), sizeof from) == 0);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0);
    timeval const patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void say(std::string const& words) const {
    REQUIRE(::send(fd_.get(), words.data(), words.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(words.size()));
  }
  /// So many bytes; fewer when no more come for 10 s.
  std::string hear(std::size_t count) const {
    std::string heard(count, '\0');
    auto const length = ::recv(fd_.get(), heard.data(), count, MSG_WAITALL);
    heard.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return heard;
  }
  /// Soon, perhaps after an answer.
  bool is_hung_up_on() const {
    errno = 0;
    while (!hear(1).empty()) continue;
    return errno == 0 || errno == ECONNRESET;
  }

private:
  static sockaddr_in place(std::string const& address, std::uint16_t port) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    place.sin_addr.s_addr = ::inet_addr(address.c_str());
    return place;
  }
  UniqueFd fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

}  // namespace imageswarm::test
