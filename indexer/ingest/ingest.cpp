#include "indexer/ingest/ingest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "indexer/ingest/stage.hpp"

namespace imageswarm::ingest {
namespace {

constexpr std::size_t chunk_size = 1u << 20;

/// What must be the same before and after the reading.
struct Condition {
  off_t size;
  timespec changed;
  bool operator==(Condition const& other) const {
    return size == other.size && changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
};

Result<Condition> condition_of(UniqueFd const& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail(errno_error(errno, "reading", "the image"));
  return Condition{status.st_size, status.st_mtim};
}

/// The next chunk, shorter only at the end of the file, where it is empty.
Result<Chunk> read_chunk(UniqueFd const& file) {
  std::vector<std::byte> bytes(chunk_size);
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    auto const count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", "the image"));
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return std::make_shared<std::vector<std::byte> const>(std::move(bytes));
}

/// The threads and what they compute.
class Pipeline {
public:
  explicit Pipeline(Packer& packer) : packer_{packer} {}

  [[nodiscard]] Result<> push(Chunk const& chunk) {
    for (auto* stage : {&packing_, &sha256_stage_, &sha512_stage_}) {
      if (auto pushed = stage->push(chunk); !pushed) return pushed;
    }
    content_size_ += ByteCount{chunk->size()};
    return {};
  }

  [[nodiscard]] Result<Digests> finish() {
    for (auto* stage : {&packing_, &sha256_stage_, &sha512_stage_}) {
      if (auto done = stage->finish(); !done) return fail(std::move(done.error()));
    }
    auto const packed = packer_.finish();  // its thread has ended
    if (!packed) return fail(packed.error());
    return Digests{content_size_, sha256_.finish(), sha512_.finish(), *packed};
  }

private:
  Packer& packer_;
  ByteCount content_size_;
  Hasher<Sha256> sha256_;
  Hasher<Sha512> sha512_;
  // Threads last, so that they end before what they use.
  Stage packing_{[this](Chunk const& chunk) { return packer_.update(std::span{*chunk}); }};
  Stage sha256_stage_{feeding(sha256_)};
  Stage sha512_stage_{feeding(sha512_)};
};

}  // namespace

Result<Digests> ingest(UniqueFd const& image, Packer& packer, Progress const& progress) {
  auto const before = condition_of(image);
  if (!before) return fail(before.error());
  if (::lseek(image.get(), 0, SEEK_SET) != 0) return fail(errno_error(errno, "reading", "the image"));
  ::posix_fadvise(image.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Pipeline pipeline{packer};
  ByteCount done;
  for (;;) {
    auto chunk = read_chunk(image);
    if (!chunk) return fail(std::move(chunk.error()));
    if ((*chunk)->empty()) break;
    done += ByteCount{(*chunk)->size()};
    if (auto pushed = pipeline.push(*chunk); !pushed) return fail(std::move(pushed.error()));
    if (auto go_on = progress(done); !go_on) return fail(std::move(go_on.error()));
  }
  auto const after = condition_of(image);
  if (!after) return fail(after.error());
  if (!(*before == *after) || static_cast<std::uint64_t>(after->size) != done.value) {
    return fail(Fault::disk_error, "the image was changed while it was read; nothing was added");
  }
  return pipeline.finish();
}

Result<ByteCount> likely_piece_length(UniqueFd const& image, document::Compression compression) {
  struct stat status {};
  if (::fstat(image.get(), &status) != 0) return fail(errno_error(errno, "reading", "the image"));
  auto const size = static_cast<std::uint64_t>(status.st_size);
  if (compression == document::Compression::none) return torrent::piece_length_for(ByteCount{size});
  auto const stored = static_cast<std::uint64_t>(status.st_blocks) * 512;
  // A file system that packs by itself shows few blocks: never trust it beyond 1:64.
  return torrent::piece_length_for(ByteCount{std::max(std::min(size, stored) / 2, size / 64)});
}

}  // namespace imageswarm::ingest
