#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace imageswarm::image {

/// As pread(2): of a file, or of a socket whose other end hands out the artefact (protocol.hpp).
ssize_t read_artefact(int fd, std::span<std::byte> out, std::uint64_t offset);

}  // namespace imageswarm::image
