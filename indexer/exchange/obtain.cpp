#include "indexer/exchange/obtain.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <span>
#include <stop_token>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/http/client.hpp"
#include "indexer/interruption.hpp"
#include "indexer/progress.hpp"

namespace imageswarm::exchange {
namespace fs = std::filesystem;
namespace {

/// Largest file that is fetched where its list does not say the size.
constexpr ByteCount most_without_size{1ull << 40};
constexpr std::chrono::hours fetch_deadline{24};
constexpr ByteCount slowest_fetch{10'000};  // bytes per second

/// Takes the file as it comes, and compares it with the promises of the list at its end.
class Intake {
public:
  Intake(ForeignImage const& image, ingest::TemporaryFile const& into, Interruption const& interruption)
      : image_{image}, into_{into}, interruption_{interruption}, bar_{image.name, image.size.value_or(ByteCount{})} {}

  [[nodiscard]] Result<> take(std::span<std::byte const> data) {
    if (interruption_.asked()) return fail(Fault::cancelled, "interrupted; {} was not added", image_.name);
    received_ += {data.size()};
    if (image_.sha256) sha256_.update(data);
    if (image_.sha512) sha512_.update(data);
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
    return {};
  }

private:
  ForeignImage const& image_;
  ingest::TemporaryFile const& into_;
  Interruption const& interruption_;
  indexer::ProgressBar bar_;
  ByteCount received_;
  Hasher<Sha256> sha256_;
  Hasher<Sha512> sha512_;
};

Result<> fetch(ForeignImage const& image, Intake& intake) {
  http::Request request;
  request.url = image.url;
  request.most = image.size.value_or(most_without_size);
  request.deadline = fetch_deadline;
  request.slowest = slowest_fetch;
  request.follow_redirects = true;
  request.sink = [&intake](std::span<std::byte const> data) { return intake.take(data); };
  auto const answer = http::perform(request, std::stop_token{});
  if (!answer) return fail(answer.error());
  if (answer->status == 200) return {};
  return fail(Fault::http_status, "{} answered {}", http::shown(image.url), answer->status);
}

Result<> copy(fs::path const& path, Intake& intake) {
  auto const file = open_regular(path);
  if (!file) return fail(file.error());
  std::array<std::byte, 1u << 16> buffer;
  for (;;) {
    auto const count = ::read(file->get(), buffer.data(), buffer.size());
    if (count == 0) return {};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (auto taken = intake.take(std::span{buffer}.first(static_cast<std::size_t>(count))); !taken) return taken;
  }
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
  auto file = ingest::TemporaryFile::create(directory);
  if (!file) return file;
  Interruption const interruption;
  Intake intake{image, *file, interruption};
  auto const got = content.empty() ? fetch(image, intake) : copy(content / image.file, intake);
  if (!got) return fail(got.error());
  if (auto const good = intake.judge(); !good) return fail(good.error());
  return file;
}

}  // namespace imageswarm::exchange
