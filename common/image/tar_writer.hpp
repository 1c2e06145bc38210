#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace imageswarm::image {

/// The header of a regular file in a ustar archive, with nothing in it that differs from one day or host to the next.
/// `name` has at most 100 bytes; sizes of 8 GiB and more are written as GNU tar does.
std::string tar_header(std::string_view name, std::uint64_t size);
/// What fills up the last block of a file.
std::string tar_padding(std::uint64_t size);
/// What ends the archive.
std::string tar_end();

}  // namespace imageswarm::image
