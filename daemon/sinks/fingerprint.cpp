#include "daemon/sinks/fingerprint.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::sinks {
namespace {

constexpr std::chrono::hours compare_interval{24};

/// Of the first `size` bytes, or all if there are fewer.
Result<Sha256> digest_of_file(UniqueFd const& fd, std::filesystem::path const& path, off_t size,
                              std::stop_token const& stop) {
  Hasher<Sha256> hasher;
  std::vector<std::byte> buffer(ByteCount{1_MiB}.value);
  for (;;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading {}: stopped", printable(path.native()));
    auto const most = std::min(buffer.size(), static_cast<std::size_t>(size));
    auto const count = ::read(fd.get(), buffer.data(), most);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (count == 0) return hasher.finish();
    hasher.update(std::span{buffer}.first(static_cast<std::size_t>(count)));
    size -= count;
  }
}

}  // namespace

Result<Fingerprint> Fingerprint::of(UniqueFd const& fd, std::filesystem::path const& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(errno_error(errno, "reading", path));
  auto const ns = [](timespec const& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return Fingerprint{status.st_dev, status.st_ino, status.st_size, ns(status.st_mtim), ns(status.st_ctim)};
}

Result<bool> ComparedFiles::match(UniqueFd const& fd, std::filesystem::path const& path, Sha256 const& digest,
                                  Fingerprint const& fingerprint, std::stop_token const& stop) {
  if (is_known(path, digest, fingerprint)) return true;
  auto const found = digest_of_file(fd, path, fingerprint.size, stop);
  if (!found) return fail(found.error());
  if (*found != digest) return false;
  std::lock_guard const lock{mutex_};
  known_.insert_or_assign(path, Compared{fingerprint, digest, SteadyClock::now()});
  return true;
}

bool ComparedFiles::is_known(std::filesystem::path const& path, Sha256 const& digest, Fingerprint const& fingerprint) {
  std::lock_guard const lock{mutex_};
  auto const known = known_.find(path);
  return known != known_.end() && known->second.fingerprint == fingerprint && known->second.digest == digest &&
         SteadyClock::now() - known->second.at < compare_interval;
}

}  // namespace imageswarm::sinks
