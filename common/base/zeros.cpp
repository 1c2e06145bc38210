#include "common/base/zeros.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/file.hpp"

namespace imageswarm {
namespace {

constexpr std::size_t block = ByteCount{64_KiB}.value;

}  // namespace

Result<> write_with_holes(int fd, std::uint64_t offset, std::span<std::byte const> data,
                          std::filesystem::path const& path) {
  while (!data.empty()) {
    auto const part = data.first(std::min(data.size(), block - static_cast<std::size_t>(offset % block)));
    if (!all_zeros(part)) {
      if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return fail(errno_error(errno, "writing", path));
      if (auto const written = write_all(fd, part, path); !written) return written;
    }
    offset += part.size();
    data = data.subspan(part.size());
  }
  return {};
}

}  // namespace imageswarm
