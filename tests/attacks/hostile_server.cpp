#include "tests/attacks/hostile_server.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

namespace imageswarm::attacks {
namespace {

std::string head_from(int fd) {
  std::string head;
  char buffer[4096];
  while (head.find("\r\n\r\n") == head.npos) {
    auto const size = ::recv(fd, buffer, sizeof buffer, 0);
    if (size <= 0) break;
    head.append(buffer, static_cast<std::size_t>(size));
  }
  return head;
}

std::string path_in(std::string const& head) {
  auto const begin = head.find(' ') + 1;
  return head.substr(begin, head.find(' ', begin) - begin);
}

}  // namespace

bool Peer::send(std::string_view bytes) const {
  while (!bytes.empty() && !stopping_) {
    auto const size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return !stopping_;
}

bool Peer::wait(std::chrono::milliseconds span) const {
  pollfd gone{fd_, POLLRDHUP, 0};
  return ::poll(&gone, 1, static_cast<int>(span.count())) == 0 && !stopping_;
}

HostileServer::HostileServer(Answer answer) : listening_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening_.get(), where, size) != 0 || ::listen(listening_.get(), 16) != 0 ||
      ::getsockname(listening_.get(), where, &size) != 0) {
    throw std::runtime_error{"cannot listen"};
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this, answer = std::move(answer)] { serve(answer); }};
}

HostileServer::~HostileServer() {
  stopping_ = true;
  ::shutdown(listening_.get(), SHUT_RDWR);
  thread_.join();
}

std::string HostileServer::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string{path};
}

void HostileServer::serve(Answer const& answer) {
  while (!stopping_) {
    UniqueFd const fd{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!fd) return;
    auto const head = head_from(fd.get());
    answer(Peer{fd.get(), stopping_}, path_in(head));
  }
}

}  // namespace imageswarm::attacks
