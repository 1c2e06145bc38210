#include "daemon/flow/artefact.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/text.hpp"

namespace imageswarm::flow {
namespace {

using SteadyClock = std::chrono::steady_clock;

Result<> compare_size(ByteCount size, std::filesystem::path const& path, document::Torrent const& promised) {
  if (size == promised.content_size) return {};
  return fail(Fault::hash_mismatch, "{}: {} bytes instead of the {} that were signed", printable(path.native()),
              size.value, promised.content_size.value);
}

Result<> compare_digest(Sha256 const& digest, std::filesystem::path const& path, document::Torrent const& promised) {
  if (digest == promised.content_sha256) return {};
  return fail(Fault::hash_mismatch, "{}: SHA-256 is {}, signed was {}", printable(path.native()), digest.hex(),
              promised.content_sha256.hex());
}

Result<Sha256> digest_of_file(UniqueFd const& fd, std::filesystem::path const& path, std::stop_token const& stop) {
  Hasher<Sha256> hasher;
  std::vector<std::byte> buffer((1_MiB).value);
  for (std::uint64_t at = 0;;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading {}: stopped", printable(path.native()));
    auto const count = ::pread(fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (count == 0) return hasher.finish();
    hasher.update(std::span{buffer}.first(static_cast<std::size_t>(count)));
    at += static_cast<std::uint64_t>(count);
  }
}

Result<Sha256> digest_of_chunks(ChunkFiles const& chunks, std::stop_token const& stop) {
  Hasher<Sha256> hasher;
  auto const read = chunks.read_all([&hasher](std::span<std::byte const> data) { hasher.update(data); }, stop);
  return read.map([&hasher] { return hasher.finish(); });
}

}  // namespace

Result<VerifiedArtefact> verify_artefact(std::filesystem::path const& path, document::Image const& image,
                                         std::stop_token const& stop) {
  auto const& promised = image.torrent;
  std::shared_ptr<UniqueFd const> fd;
  std::shared_ptr<ChunkFiles const> chunks;
  ByteCount size;
  if (promised.chunks) {
    auto opened = ChunkFiles::open(path, *promised.chunks);
    if (!opened) return fail(std::move(opened.error()));
    size = opened->size();
    chunks = std::make_shared<ChunkFiles const>(std::move(*opened));
  } else {
    auto opened = open_regular(path);
    if (!opened) return fail(std::move(opened.error()));
    auto const known = size_of(*opened);
    if (!known) return fail(known.error());
    size = *known;
    fd = std::make_shared<UniqueFd const>(std::move(*opened));
  }
  if (auto same = compare_size(size, path, promised); !same) return fail(std::move(same.error()));
  auto const digest = chunks ? digest_of_chunks(*chunks, stop) : digest_of_file(*fd, path, stop);
  if (!digest) return fail(digest.error());
  if (auto same = compare_digest(*digest, path, promised); !same) return fail(std::move(same.error()));
  return VerifiedArtefact{std::move(fd), std::move(chunks), image};
}

struct Artefact::Arriving {
  std::shared_ptr<UniqueFd const> fd;
  std::filesystem::path path;  ///< for messages
  document::Image image;
  std::shared_ptr<Arrival const> arrival;
  std::chrono::milliseconds patience;
  SteadyClock::time_point deadline;

  Result<> wait(ByteCount end, std::stop_token const& stop) const {
    for (auto here = arrival->in_order(); here < end; here = arrival->in_order()) {
      auto const until = std::min(deadline, SteadyClock::now() + patience);
      if (auto const more = arrival->wait(here + ByteCount{1}, until, stop); !more) return more;
    }
    return {};
  }

  Result<> read(std::uint64_t offset, std::span<std::byte> out, std::stop_token const& stop) const {
    if (auto const here = wait({offset + out.size()}, stop); !here) return here;
    while (!out.empty()) {
      auto const count = ::pread(fd->get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(errno_error(errno, "reading", path));
      if (count == 0) return fail(Fault::hash_mismatch, "{}: it became shorter", printable(path.native()));
      offset += static_cast<std::uint64_t>(count);
      out = out.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }
};

Result<Artefact> Artefact::open(std::filesystem::path const& path, document::Image const& image,
                                std::shared_ptr<Arrival const> arrival, std::stop_token stop, Patience patience) {
  auto fd = open_regular(path);
  if (!fd) return fail(std::move(fd.error()));
  auto const arriving = std::make_shared<Arriving const>(Arriving{std::make_shared<UniqueFd const>(std::move(*fd)),
                                                                  path, image, std::move(arrival), patience.next,
                                                                  SteadyClock::now() + patience.whole});
  return Artefact{arriving,
                  std::async(std::launch::async, [arriving, stop = std::move(stop)] { return hash(*arriving, stop); })};
}

document::Image const& Artefact::image() const {
  return whole_ ? whole_->image() : arriving_->image;
}

Result<> Artefact::read(std::uint64_t offset, std::span<std::byte> out, std::stop_token const& stop) const {
  return arriving_->read(offset, out, stop);
}

ByteCount Artefact::missing_on(std::filesystem::path const& path) const {
  struct stat here {
  }, there{};
  if (whole_ || ::fstat(arriving_->fd->get(), &here) != 0 || ::stat(path.c_str(), &there) != 0) return {};
  if (here.st_dev != there.st_dev) return {};
  return arriving_->image.torrent.content_size - arriving_->arrival->in_order();
}

bool Artefact::can_share_with(UniqueFd const& trial) const {
  return !whole_ && ::ioctl(trial.get(), FICLONE, arriving_->fd->get()) == 0;
}

Result<VerifiedArtefact> Artefact::verified() const {
  return whole_ ? Result<VerifiedArtefact>{*whole_} : verdict_.get();
}

Result<VerifiedArtefact> Artefact::hash(Arriving const& arriving, std::stop_token const& stop) {
  auto const& promised = arriving.image.torrent;
  Hasher<Sha256> hasher;
  std::vector<std::byte> buffer((1_MiB).value);
  for (std::uint64_t at = 0; at < promised.content_size.value;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "stopped while the artefact was hashed");
    auto const piece = std::span{buffer}.first(std::min(buffer.size(), promised.content_size.value - at));
    if (auto const done = arriving.read(at, piece, stop); !done) return fail(done.error());
    hasher.update(piece);
    at += piece.size();
  }
  auto const size = size_of(*arriving.fd);
  if (!size) return fail(size.error());
  if (auto const same = compare_size(*size, arriving.path, promised); !same) return fail(same.error());
  if (auto const same = compare_digest(hasher.finish(), arriving.path, promised); !same) return fail(same.error());
  return VerifiedArtefact{arriving.fd, nullptr, arriving.image};
}

}  // namespace imageswarm::flow
