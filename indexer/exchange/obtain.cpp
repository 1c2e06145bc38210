#include "indexer/exchange/obtain.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <stop_token>

#include "common/base/file.hpp"
#include "common/base/progress_bar.hpp"
#include "common/base/text.hpp"
#include "common/http/client.hpp"
#include "common/image/inspect.hpp"
#include "common/torrent/torrent.hpp"
#include "indexer/exchange/old_torrent.hpp"
#include "indexer/interruption.hpp"

namespace imageswarm::exchange {
namespace fs = std::filesystem;
namespace {

/// Largest file that is fetched where its list does not say the size.
constexpr ByteCount most_without_size{1ull << 40};
/// Largest image that is unpacked without a size: it takes a try for each 4 GiB.
constexpr ByteCount most_unpacked = 64_GiB;
constexpr std::chrono::hours fetch_deadline{24};
constexpr ByteCount slowest_fetch{10'000};  // bytes per second

/// Takes the file as it comes, and compares it with the promises of the list at its end.
class Intake {
public:
  Intake(ForeignImage const& image, std::optional<OldTorrent> torrent, ingest::TemporaryFile const& into,
         Interruption const& interruption)
      : image_{image},
        into_{into},
        interruption_{interruption},
        pieces_{std::move(torrent)},
        bar_{image.name, image.size.value_or(ByteCount{})} {}

  [[nodiscard]] Result<> take(std::span<std::byte const> data) {
    if (interruption_.asked()) return fail(Fault::cancelled, "interrupted; {} was not added", image_.name);
    received_ += {data.size()};
    if (image_.sha256) sha256_.update(data);
    if (image_.sha512) sha512_.update(data);
    if (pieces_) pieces_->update(data);
    bar_.update(received_);
    return write_all(into_.fd(), data, into_.path());
  }

  [[nodiscard]] Result<> judge() {
    if (image_.size && received_ != *image_.size) {
      return fail(Fault::hash_mismatch, "the file has {} bytes, the list says {}", received_.value, image_.size->value);
    }
    bool const fits = (!image_.sha256 || sha256_.finish() == *image_.sha256) &&
                      (!image_.sha512 || sha512_.finish() == *image_.sha512);
    if (!fits) return fail(Fault::hash_mismatch, "the file is not the one whose digest the list names");
    return pieces_ ? pieces_->finish() : Result<>{};
  }

private:
  ForeignImage const& image_;
  ingest::TemporaryFile const& into_;
  Interruption const& interruption_;
  std::optional<PieceCheck> pieces_;
  ProgressBar bar_;
  ByteCount received_;
  Hasher<Sha256> sha256_;
  Hasher<Sha512> sha512_;
};

Result<> fetch(std::string const& url, ByteCount most, http::BodySink const& sink) {
  http::Request request;
  request.url = url;
  request.most = most;
  request.deadline = fetch_deadline;
  request.slowest = slowest_fetch;
  request.follow_redirects = true;
  request.sink = sink;
  auto const answer = http::perform(request, std::stop_token{});
  if (!answer) return fail(answer.error());
  if (answer->status == 200) return {};
  return fail(Fault::http_status, "{} answered {}", http::shown(url), answer->status);
}

Result<> copy(fs::path const& path, http::BodySink const& sink) {
  auto const file = open_regular(path);
  if (!file) return fail(file.error());
  std::array<std::byte, 1u << 16> buffer;
  for (;;) {
    auto const count = ::read(file->get(), buffer.data(), buffer.size());
    if (count == 0) return {};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (auto taken = sink(std::span{buffer}.first(static_cast<std::size_t>(count))); !taken) return taken;
  }
}

/// The torrent of an image that has one, from the same place as the image.
Result<std::optional<OldTorrent>> read_torrent(ForeignImage const& image, fs::path const& content) {
  if (!image.torrent) return std::optional<OldTorrent>{};
  std::string bytes;
  auto const append = [&bytes](std::span<std::byte const> data) -> Result<> {
    bytes.append(reinterpret_cast<char const*>(data.data()), data.size());
    return {};
  };
  auto const got = content.empty() ? fetch(image.torrent->url, torrent::max_torrent_size, append)
                                   : copy(content / image.torrent->name, append);
  if (!got) return fail(got.error());
  return read_old_torrent(bytes, image.torrent->sha1, image.file).map([](OldTorrent const& torrent) {
    return std::optional{torrent};
  });
}

/// The size of what a gzip file holds, modulo 2^32 (RFC 1952 §2.3.1).
Result<std::uint64_t> size_in_trailer(ingest::TemporaryFile const& file) {
  std::array<unsigned char, 4> size{};
  auto const end = ::lseek(file.fd(), 0, SEEK_END);
  if (end < 18 || ::pread(file.fd(), size.data(), size.size(), end - 4) != 4) {
    return fail(Fault::image_truncated, "the file is too short for gzip");
  }
  return std::accumulate(size.rbegin(), size.rend(), std::uint64_t{0},
                         [](std::uint64_t high, unsigned char low) { return high << 8 | low; });
}

/// The image out of its gzip file, by the sandboxed unpacker. That wants the exact size, of which the file tells no
/// more than 32 bits, so each size that these allow is tried up to the promised one.
Result<ingest::TemporaryFile> unpack(ingest::TemporaryFile const& packed, ForeignImage const& image,
                                     fs::path const& directory, Interruption const& interruption) {
  constexpr std::uint64_t step = 1ull << 32;
  auto const low = size_in_trailer(packed);
  if (!low) return fail(low.error());
  auto const most = std::min(image.unpacked_at_most.value_or(ByteCount{step}), most_unpacked);
  auto const source = open_regular(packed.path());
  if (!source) return fail(source.error());
  for (auto size = *low == 0 ? step : *low; size <= most.value; size += step) {
    auto file = ingest::TemporaryFile::create(directory);
    if (!file) return file;
    auto const sink = [&](std::span<std::byte const> data) -> Result<> {
      if (interruption.asked()) return fail(Fault::cancelled, "interrupted; {} was not added", image.name);
      return write_all(file->fd(), data, file->path());
    };
    auto const done = image::unpack(*source, {image.packed, {size}, image.disk_format}, sink, std::stop_token{});
    if (done) return file;
    if (done.error().fault != Fault::bomb) return fail(done.error());
  }
  return fail(Fault::bomb, "it unpacks to more than {}", human(most));
}

/// May a name from outside be joined to a directory of ours?
bool stays_below(fs::path const& name) {
  return !name.empty() && name.is_relative() && std::ranges::find(name, fs::path{".."}) == name.end();
}

}  // namespace

Result<ingest::TemporaryFile> obtain(ForeignImage const& image, fs::path const& content, fs::path const& directory) {
  if (!content.empty() && !stays_below(image.file)) {
    return fail(Fault::import_field, "'{}' is no name of a file", printable(image.file));
  }
  auto torrent = read_torrent(image, content);
  if (!torrent) return fail(std::move(torrent.error()));
  auto file = ingest::TemporaryFile::create(directory);
  if (!file) return file;
  auto const most = *torrent ? (*torrent)->size : image.size.value_or(most_without_size);
  Interruption const interruption;
  Intake intake{image, std::move(*torrent), *file, interruption};
  auto const take = [&intake](std::span<std::byte const> data) { return intake.take(data); };
  auto const got = content.empty() ? fetch(image.url, most, take) : copy(content / image.file, take);
  if (!got) return fail(got.error());
  if (auto const good = intake.judge(); !good) return fail(good.error());
  if (image.packed == document::Compression::none) return file;
  return unpack(*file, image, directory, interruption);
}

}  // namespace imageswarm::exchange
