#include "indexer/ingest/sparse_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/zeros.hpp"

namespace imageswarm::ingest {
namespace {

constexpr std::uint64_t block = 64 << 10;

}  // namespace

Result<> SparseWriter::write(std::span<std::byte const> data) {
  while (!data.empty()) {
    auto const piece = data.first(std::min<std::size_t>(data.size(), block - size_.value % block));
    data = data.subspan(piece.size());
    if (!all_zeros(piece)) {
      if (::lseek(file_.fd(), static_cast<off_t>(size_.value), SEEK_SET) < 0) {
        return fail(errno_error(errno, "writing", file_.path()));
      }
      if (auto written = write_all(file_.fd(), piece, file_.path()); !written) return written;
    }
    size_ += {piece.size()};
  }
  return {};
}

Result<> SparseWriter::finish() {
  if (::ftruncate(file_.fd(), static_cast<off_t>(size_.value)) == 0) return {};
  return fail(errno_error(errno, "writing", file_.path()));
}

}  // namespace imageswarm::ingest
