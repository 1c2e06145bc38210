#include "indexer/ingest/sparse_writer.hpp"

#include <unistd.h>

#include <cerrno>

#include "common/base/zeros.hpp"

namespace imageswarm::ingest {

Result<> SparseWriter::write(std::span<std::byte const> data) {
  auto written = write_with_holes(file_.fd(), size_.value, data, file_.path());
  if (written) size_ += {data.size()};
  return written;
}

Result<> SparseWriter::finish() {
  if (::ftruncate(file_.fd(), static_cast<off_t>(size_.value)) == 0) return {};
  return fail(errno_error(errno, "writing", file_.path()));
}

}  // namespace imageswarm::ingest
