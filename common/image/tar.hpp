#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/image/content.hpp"

namespace imageswarm::image {

/// A file in an archive: where its bytes are.
struct Member {
  std::string name;
  std::uint64_t offset = 0, size = 0;
};

/// The members of a plain ustar archive (POSIX.1-1988), in their order. There are regular files with plain and
/// different names, two blocks of zeros, and nothing else: none of the extensions that give a member another name or
/// size than its header, so that every reader sees the same members. Faults: image-archive, image-truncated, and those
/// of reading the content.
[[nodiscard]] Result<std::vector<Member>> read_tar(Content& content);

}  // namespace imageswarm::image
