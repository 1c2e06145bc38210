#include "daemon/swarm/session.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <set>
#include <thread>

#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::swarm {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;  // libtorrent gives connections that it knows as peers 3 s to close
constexpr auto poll_interval = 5ms;

int option_of(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : 0;
}

bool is_tcp_on(int fd, std::uint16_t port) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  bool const v6 = address.ss_family == AF_INET6;
  if (!v6 && address.ss_family != AF_INET) return false;
  auto const ours =
      v6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port : reinterpret_cast<sockaddr_in&>(address).sin_port;
  return ntohs(ours) == port && option_of(fd, SO_TYPE) == SOCK_STREAM;
}

struct Sockets {
  std::set<ino_t> listening, connected;
};

/// Shuts down the TCP sockets of this process on `port`. Opens nothing: peers may have taken all descriptors there are.
/// Whoever is given the number of one that libtorrent closes just now could lose a connection, as the daemon ends.
Sockets shut_down(std::uint16_t port) {
  Sockets found;
  auto const numbers = static_cast<int>(std::min<long>(::sysconf(_SC_OPEN_MAX), INT_MAX));
  for (int fd = 0; fd < numbers; ++fd) {
    struct stat status {};
    if (!is_tcp_on(fd, port) || ::fstat(fd, &status) != 0) continue;
    (option_of(fd, SO_ACCEPTCONN) != 0 ? found.listening : found.connected).insert(status.st_ino);
    ::shutdown(fd, SHUT_RDWR);
  }
  return found;
}

/// Until libtorrent has closed those that were connected, too.
void wait_for_end(std::uint16_t port, std::set<ino_t> const& listeners) {
  auto const deadline = std::chrono::steady_clock::now() + patience;
  for (;; std::this_thread::sleep_for(poll_interval)) {
    auto left = shut_down(port).connected;
    for (auto const listener : listeners) left.erase(listener);
    if (left.empty()) return;
    if (std::chrono::steady_clock::now() < deadline) continue;
    return log_warning("swarm: {} TLS connections do not end", left.size());
  }
}

}  // namespace

/// To libtorrent it still listens, so that trackers are told that we leave.
Session::~Session() {
  try {
    auto const port = ssl_listen_port();
    if (port == 0) return;
    auto const listeners = shut_down(port).listening;
    ssl_listen_port();  // libtorrent's thread answers, so what it was accepting has a descriptor now
    wait_for_end(port, listeners);
  } catch (std::exception const& error) {
    log_warning("swarm: ending TLS connections: {}", printable(error.what()));
  }
}

}  // namespace imageswarm::swarm
