#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <future>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "common/image/compress.hpp"
#include "indexer/ingest/packer.hpp"
#include "indexer/ingest/temporary.hpp"

namespace imageswarm::ingest {
namespace fs = std::filesystem;
namespace {

using Bytes = std::vector<std::byte>;

struct PackedChunk {
  Bytes bytes;
  torrent::Chunk chunk;
};

Result<PackedChunk> pack(Bytes const& content) {
  return image::pack_chunk(content).map([](Bytes packed) {
    auto const chunk = torrent::chunk_of(packed);
    return PackedChunk{std::move(packed), chunk};
  });
}

bool holds(fs::path const& file, Bytes const& bytes) {
  auto const content = read_file(file, {bytes.size()});
  return content && std::ranges::equal(std::as_bytes(std::span{*content}), bytes);
}

Result<> write_file(fs::path const& path, Bytes const& bytes) {
  UniqueFd const fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
  if (!fd || ::fchmod(fd.get(), 0644) != 0) return fail(errno_error(errno, "writing", path));
  return write_all(fd.get(), bytes, path);
}

/// Packs on all cores, and holds one chunk more than there are.
class ChunkPacker final : public Packer {
public:
  ChunkPacker(ByteCount chunk_size, TemporaryDirectory directory, fs::path previous)
      : chunk_size_{chunk_size.value}, directory_{std::move(directory)}, previous_{std::move(previous)} {}

  Result<> update(std::span<std::byte const> content) override {
    while (!content.empty()) {
      auto const now = content.first(std::min(content.size(), chunk_size_ - filling_.size()));
      filling_.insert(filling_.end(), now.begin(), now.end());
      content = content.subspan(now.size());
      if (filling_.size() < chunk_size_) break;
      if (auto begun = begin(); !begun) return begun;
    }
    return {};
  }

  Result<Packed> finish() override {
    if (!filling_.empty()) {
      if (auto begun = begin(); !begun) return fail(std::move(begun.error()));
    }
    while (!under_way_.empty()) {
      if (auto written = write_oldest(); !written) return fail(std::move(written.error()));
    }
    return Packed{size_, sha256_.finish()};
  }

  Result<torrent::Builder::Built> make_torrent(std::string_view name, TimePoint created,
                                               torrent::Builder::Sources const& sources,
                                               std::string_view swarm_ca) override {
    return torrent::build(name, chunks_, created, sources, swarm_ca);
  }

  Result<> move_to(fs::path const& name) override { return directory_.move_to(name); }

private:
  Result<> begin() {
    static auto const cores = std::max(1u, std::thread::hardware_concurrency());
    under_way_.push_back(
        std::async(std::launch::async, [content = std::exchange(filling_, {})] { return pack(content); }));
    return under_way_.size() <= cores ? Result<>{} : write_oldest();
  }

  Result<> write_oldest() {
    auto const packed = under_way_.front().get();
    under_way_.pop_front();
    if (!packed) return fail(packed.error());
    if (auto placed = place(*packed); !placed) return placed;
    sha256_.update(packed->bytes);
    size_ += packed->chunk.size;
    chunks_.push_back(packed->chunk);
    return {};
  }

  Result<> place(PackedChunk const& packed) {
    auto const name = document::chunk_name(static_cast<std::uint32_t>(chunks_.size()));
    auto const path = directory_.path() / name;
    auto const [equal, first] = places_.try_emplace(packed.chunk.root, path);
    if (!first && ::link(equal->second.c_str(), path.c_str()) == 0) return {};
    auto const before = previous_ / name;
    if (first && !previous_.empty() && holds(before, packed.bytes) && ::link(before.c_str(), path.c_str()) == 0) {
      return {};
    }
    return write_file(path, packed.bytes);  // also where no link can be made, or no further one
  }

  std::size_t chunk_size_;
  TemporaryDirectory directory_;
  fs::path previous_;
  Bytes filling_;
  std::deque<std::future<Result<PackedChunk>>> under_way_;  ///< in the order of the content
  std::vector<torrent::Chunk> chunks_;
  std::map<Sha256, fs::path> places_;  ///< by root
  ByteCount size_;
  Hasher<Sha256> sha256_;
};

}  // namespace

Result<std::unique_ptr<Packer>> pack_chunks(ByteCount chunk_size, fs::path const& directory, fs::path const& previous) {
  auto made = TemporaryDirectory::create(directory);
  if (!made) return fail(std::move(made.error()));
  return std::make_unique<ChunkPacker>(chunk_size, std::move(*made), previous);
}

}  // namespace imageswarm::ingest
