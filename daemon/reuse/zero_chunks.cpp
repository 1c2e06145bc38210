#include "daemon/reuse/zero_chunks.hpp"

#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "common/base/file.hpp"
#include "common/image/compress.hpp"
#include "common/torrent/torrent.hpp"

namespace imageswarm::reuse {

Result<> make_zero_chunks(std::filesystem::path const& directory, torrent::PieceHashes const& wanted,
                          ByteCount chunk_size) {
  auto const packed = image::pack_chunk(std::vector<std::byte>(chunk_size.value));
  if (!packed) return fail(packed.error());
  auto const zeros = torrent::chunk_of(*packed);
  for (auto const& file : wanted.files) {
    if (file.size != zeros.size || file.pieces.front() != zeros.root) continue;
    auto const path = directory / file.name;
    if (auto made = make_directories(path.parent_path()); !made) return made;
    UniqueFd const fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
    if (!fd) return fail(errno_error(errno, "making", path));
    if (auto written = write_all(fd.get(), *packed, path); !written) return written;
  }
  return {};
}

}  // namespace imageswarm::reuse
