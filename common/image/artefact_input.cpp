#include "common/image/artefact_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/image/protocol.hpp"

namespace imageswarm::image {
namespace {

ssize_t ask(int socket, std::span<std::byte> out, std::uint64_t offset) {
  out = out.first(std::min(out.size(), piece_size));
  ArtefactRange const range{offset, out.size()};
  if (::write(socket, &range, sizeof range) != sizeof range) return -1;
  for (auto rest = out; !rest.empty();) {
    auto const count = ::read(socket, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count;
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  return static_cast<ssize_t>(out.size());
}

}  // namespace

ssize_t read_artefact(int fd, std::span<std::byte> out, std::uint64_t offset) {
  auto const count = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
  return count < 0 && errno == ESPIPE ? ask(fd, out, offset) : count;
}

}  // namespace imageswarm::image
