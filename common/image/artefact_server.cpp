#include "common/image/artefact_server.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/image/protocol.hpp"

namespace imageswarm::image {

Result<std::unique_ptr<ArtefactServer>> ArtefactServer::start(ArtefactReader read, ByteCount size) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(errno_error(errno, "making a socket for", "the image inspector"));
  }
  std::unique_ptr<ArtefactServer> server{new ArtefactServer{UniqueFd{ends[0]}, UniqueFd{ends[1]}}};
  server->thread_ = std::jthread{[self = server.get(), read = std::move(read), size](std::stop_token const& stop) {
    self->outcome_ = self->serve(read, size, stop);
  }};
  return server;
}

ArtefactServer::~ArtefactServer() {
  static_cast<void>(finish());
}

Result<> ArtefactServer::finish() {
  thread_.request_stop();
  ::shutdown(ours_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

/// Until the other end is closed or asks for what there is not.
Result<> ArtefactServer::serve(ArtefactReader const& read, ByteCount size, std::stop_token const& stop) {
  std::vector<std::byte> buffer(piece_size);
  for (;;) {
    ArtefactRange range;
    if (::recv(ours_.get(), &range, sizeof range, MSG_WAITALL) != sizeof range) return {};
    if (range.length > buffer.size() || range.length > size.value || range.offset > size.value - range.length)
      return {};
    auto rest = std::span{buffer}.first(range.length);
    if (auto done = read(range.offset, rest, stop); !done) {
      ::shutdown(ours_.get(), SHUT_RDWR);
      return stop.stop_requested() ? Result<>{} : done;
    }
    while (!rest.empty()) {
      auto const sent = ::send(ours_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return {};
      rest = rest.subspan(static_cast<std::size_t>(sent));
    }
  }
}

}  // namespace imageswarm::image
