#include "common/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "common/base/text.hpp"

namespace imageswarm {
namespace fs = std::filesystem;

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Error errno_error(int number, std::string_view doing, fs::path const& path) {
  auto const fault = [&] {
    switch (number) {
      case ENOSPC:
      case EDQUOT:
        return Fault::disk_full;
      case EACCES:
      case EPERM:
      case EROFS:
        return Fault::permission;
      case ENOENT:
      case ENOTDIR:
        return Fault::not_found;
      case EEXIST:
        return Fault::exists;
      default:
        return Fault::disk_error;
    }
  }();
  return {fault, fmt::format("{} {}: {}", doing, printable(path.native()), std::generic_category().message(number))};
}

Result<UniqueFd> open_regular(fs::path const& path) {
  // O_NONBLOCK: a named pipe under an expected name must not hang us; it has no meaning for a regular file.
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  if (!fd) {
    if (errno == ELOOP) return fail(Fault::permission, "opening {}: it is a symbolic link", printable(path.native()));
    return fail(errno_error(errno, "opening", path));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(errno_error(errno, "opening", path));
  if (!S_ISREG(status.st_mode)) {
    return fail(Fault::disk_error, "opening {}: not a regular file", printable(path.native()));
  }
  return fd;
}

Result<ByteCount> size_of(UniqueFd const& fd) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(errno_error(errno, "reading the size of", "an open file"));
  return ByteCount{static_cast<std::uint64_t>(status.st_size)};
}

Result<std::string> read_file(fs::path const& path, ByteCount most) {
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return fail(errno_error(errno, "reading", path));
  std::string content;
  char buffer[65536];
  for (;;) {
    auto const count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
    if (content.size() > most.value) {
      return fail(Fault::too_large, "reading {}: larger than {} bytes", printable(path.native()), most.value);
    }
  }
}

Result<> write_all(int fd, std::span<std::byte const> data, fs::path const& path) {
  while (!data.empty()) {
    auto const count = ::write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "writing", path));
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

namespace {

fs::path directory_of(fs::path const& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path{"."};
}

Result<> sync_directory(fs::path const& directory) {
  UniqueFd fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd || ::fsync(fd.get()) != 0) return fail(errno_error(errno, "syncing", directory));
  return {};
}

Result<> rename_and_sync(fs::path const& from, fs::path const& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail(errno_error(errno, "renaming to", to));
  return sync_directory(directory_of(to));
}

}  // namespace

Result<> write_file_atomically(fs::path const& path, std::string_view content, std::uint32_t mode) {
  auto const pattern = directory_of(path) / ("." + path.filename().native() + ".XXXXXX.tmp");
  auto name = pattern.native();
  UniqueFd fd{::mkostemps(name.data(), 4, O_CLOEXEC)};
  if (!fd) return fail(errno_error(errno, "writing", path));
  auto const written = [&]() -> Result<> {
    if (auto done = write_all(fd.get(), std::as_bytes(std::span{content}), path); !done) return done;
    if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0) return fail(errno_error(errno, "writing", path));
    return rename_and_sync(name, path);
  }();
  if (!written) ::unlink(name.c_str());
  return written;
}

Result<> move_into_place(fs::path const& from, fs::path const& to) {
  UniqueFd fd{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd || ::fsync(fd.get()) != 0) return fail(errno_error(errno, "syncing", from));
  return rename_and_sync(from, to);
}

Result<> remove_file(fs::path const& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error(errno, "removing", path));
  return {};
}

Result<std::vector<fs::path>> list_directory(fs::path const& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator at{directory, error};
  for (; !error && at != fs::directory_iterator{}; at.increment(error)) entries.push_back(at->path());
  if (error && error.value() != ENOENT) return fail(errno_error(error.value(), "reading", directory));
  return entries;
}

Result<> remove_temporaries(fs::path const& directory) {
  auto const entries = list_directory(directory);
  if (!entries) return fail(entries.error());
  for (auto const& entry : *entries) {
    auto const name = entry.filename().native();
    if (!name.starts_with('.') || !name.ends_with(".tmp")) continue;
    std::error_code error;
    fs::remove_all(entry, error);
    if (error) return fail(errno_error(error.value(), "removing", entry));
  }
  return {};
}

Result<> make_directories(fs::path const& path, std::uint32_t mode) {
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path) {
    if (auto above = make_directories(path.parent_path(), mode); !above) return above;
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail(errno_error(errno, "making", path));
  if (!fs::is_directory(path, error)) return fail(errno_error(ENOTDIR, "making", path));
  return {};
}

Result<ByteCount> free_space(fs::path const& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return fail(errno_error(errno, "asking for the free space of", path));
  return ByteCount{static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize};
}

}  // namespace imageswarm
