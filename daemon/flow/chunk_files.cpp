#include "daemon/flow/chunk_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/text.hpp"

namespace imageswarm::flow {

Result<ChunkFiles> ChunkFiles::open(std::filesystem::path const& directory, document::Chunks const& chunks) {
  UniqueFd fd{::open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd) return fail(errno_error(errno, "opening", directory));
  ChunkFiles files{std::move(fd), directory};
  for (std::uint32_t index = 0; index < chunks.count; ++index) {
    auto const size = files.open_chunk(index).and_then([](UniqueFd const& chunk) { return size_of(chunk); });
    if (!size) return fail(size.error());
    files.ends_.push_back(files.size().value + size->value);
  }
  return files;
}

Result<UniqueFd> ChunkFiles::open_chunk(std::size_t index) const {
  auto const name = document::chunk_name(static_cast<std::uint32_t>(index));
  UniqueFd fd{::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail(errno_error(errno, "opening", path_ / name));
  if (!S_ISREG(status.st_mode)) {
    return fail(Fault::disk_error, "{} is not a regular file", printable((path_ / name).native()));
  }
  return fd;
}

Result<> ChunkFiles::read_all(std::function<void(std::span<std::byte const>)> const& take,
                              std::stop_token const& stop) const {
  std::vector<std::byte> buffer((1_MiB).value);
  Reader reader{*this};
  for (std::uint64_t at = 0; at < size().value;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading {}: stopped", printable(path_.native()));
    auto const part = std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), size().value - at));
    if (auto done = reader.read(at, part); !done) return done;
    take(part);
    at += part.size();
  }
  return {};
}

Result<> ChunkFiles::Reader::read(std::uint64_t offset, std::span<std::byte> out) {
  auto const& ends = files_->ends_;
  while (!out.empty()) {
    auto const index = static_cast<std::size_t>(std::ranges::upper_bound(ends, offset) - ends.begin());
    if (std::exchange(index_, index) != index) {
      auto opened = files_->open_chunk(index);
      if (!opened) return fail(std::move(opened.error()));
      file_ = std::move(*opened);
    }
    auto const begin = index == 0 ? 0 : ends[index - 1];
    auto const part = out.first(std::min<std::uint64_t>(out.size(), ends[index] - offset));
    auto const count = ::pread(file_.get(), part.data(), part.size(), static_cast<off_t>(offset - begin));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", files_->path_));
    if (count == 0) {
      return fail(Fault::disk_error, "{}: a chunk became shorter while it was read", printable(files_->path_.native()));
    }
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace imageswarm::flow
