#include "indexer/ingest/ingest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "common/image/compress.hpp"
#include "indexer/ingest/stage.hpp"

namespace imageswarm::ingest {
namespace fs = std::filesystem;
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

/// The threads and what they compute: content → both digests and the compressor; artefact → file, digest, pieces.
class Pipeline {
public:
  Pipeline(Recipe const& recipe, TemporaryFile const& artefact)
      : artefact_{artefact},
        builder_{recipe.piece_length, recipe.flavour},
        compressor_{recipe.compression, [this](std::span<std::byte const> packed) { return take_packed(packed); }} {}

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
    // The packing thread has ended, so this one may use the compressor and feed the stages behind it.
    if (auto done = compressor_.finish(); !done) return fail(std::move(done.error()));
    for (auto* stage : {&digesting_, &piecing_}) {
      if (auto done = stage->finish(); !done) return fail(std::move(done.error()));
    }
    return Digests{content_size_,  sha256_.finish(),          sha512_.finish(),
                   artefact_size_, artefact_sha256_.finish(), std::move(builder_)};
  }

private:
  [[nodiscard]] Result<> take_packed(std::span<std::byte const> packed) {
    if (auto written = write_all(artefact_.fd(), packed, artefact_.path()); !written) return written;
    artefact_size_ += ByteCount{packed.size()};
    auto const chunk = std::make_shared<std::vector<std::byte> const>(packed.begin(), packed.end());
    if (auto pushed = digesting_.push(chunk); !pushed) return pushed;
    return piecing_.push(chunk);
  }

  template <class Consumer>
  static std::function<Result<>(Chunk const&)> feeding(Consumer& consumer) {
    return [&consumer](Chunk const& chunk) -> Result<> {
      consumer.update(std::span{*chunk});
      return {};
    };
  }

  TemporaryFile const& artefact_;
  ByteCount content_size_;
  ByteCount artefact_size_;  // of the packing thread until it has ended, then of ours
  Hasher<Sha256> sha256_, artefact_sha256_;
  Hasher<Sha512> sha512_;
  torrent::Builder builder_;
  image::Compressor compressor_;
  // Threads last, and consumers before those who feed them: they end in the reverse order.
  Stage digesting_{feeding(artefact_sha256_)};
  Stage piecing_{feeding(builder_)};
  Stage packing_{[this](Chunk const& chunk) { return compressor_.update(std::span{*chunk}); }};
  Stage sha256_stage_{feeding(sha256_)};
  Stage sha512_stage_{feeding(sha512_)};
};

}  // namespace

Result<TemporaryFile> TemporaryFile::create(fs::path const& directory) {
  auto name = (directory / ".adding.XXXXXX.tmp").native();
  UniqueFd fd{::mkostemps(name.data(), 4, O_CLOEXEC)};
  if (!fd) return fail(errno_error(errno, "writing in", directory));
  return TemporaryFile{std::move(fd), name};
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : fd_{std::move(other.fd_)}, path_{std::exchange(other.path_, {})} {}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<> TemporaryFile::move_to(fs::path const& name) {
  if (::fchmod(fd_.get(), 0644) != 0) return fail(errno_error(errno, "writing", name));
  if (auto moved = move_into_place(path_, name); !moved) return moved;
  path_.clear();
  return {};
}

Result<Digests> ingest(UniqueFd const& image, Recipe const& recipe, TemporaryFile const& artefact,
                       Progress const& progress) {
  auto const before = condition_of(image);
  if (!before) return fail(before.error());
  if (::lseek(image.get(), 0, SEEK_SET) != 0) return fail(errno_error(errno, "reading", "the image"));
  ::posix_fadvise(image.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Pipeline pipeline{recipe, artefact};
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
