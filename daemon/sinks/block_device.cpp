#include "daemon/sinks/block_device.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/text.hpp"
#include "common/base/zeros.hpp"

namespace imageswarm::sinks {
namespace {

tl::unexpected<Error> open_error(int number, std::filesystem::path const& path) {
  auto const name = printable(path.native());
  if (number == EBUSY)
    return fail(Fault::exists, "{} is in use: it is mounted, or another device is built on it", name);
  if (number == ENOENT) return fail(Fault::not_found, "there is no device {}; make it", name);
  if (number == EACCES || number == EPERM) {
    return fail(
        Fault::permission,
        "imageswarmd may not write to {}; install the drop-in volume.conf of the unit (SupplementaryGroups=disk)",
        name);
  }
  return fail(errno_error(number, "opening", path));
}

}  // namespace

Result<BlockDevice> BlockDevice::open(std::filesystem::path const& path, int flags) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return open_error(errno, path);
  if (!S_ISBLK(status.st_mode)) return fail(Fault::exists, "{} is no block device", printable(path.native()));
  UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC)};  // O_EXCL without O_CREAT is known to block devices alone
  if (!fd) return open_error(errno, path);
  std::uint64_t size = 0;
  if (::fstat(fd.get(), &status) != 0 || !S_ISBLK(status.st_mode) || ::ioctl(fd.get(), BLKGETSIZE64, &size) != 0) {
    return fail(errno_error(errno, "asking for the size of", path));
  }
  return BlockDevice{std::move(fd), path, ByteCount{size}};
}

Result<BlockDevice> BlockDevice::open_alone(std::filesystem::path const& path) {
  auto device = open(path, O_RDWR | O_EXCL);
  if (!device) return device;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(device->fd_.get(), F_OFD_SETLK, &whole) == 0) return device;
  return fail(Fault::exists, "{} is in use: a program holds a lock on it, as virtual machines do on their disks",
              printable(path.native()));
}

Result<BlockDevice> BlockDevice::open_to_read(std::filesystem::path const& path) {
  auto device = open(path, O_RDONLY);
  if (device) static_cast<void>(::posix_fadvise(device->fd_.get(), 0, 0, POSIX_FADV_DONTNEED));
  return device;
}

Result<> BlockDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    auto const count = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path_));
    if (count == 0) return fail(Fault::disk_error, "{} ends too early", printable(path_.native()));
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> BlockDevice::write(std::uint64_t offset, std::span<std::byte const> data) const {
  if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return fail(errno_error(errno, "writing", path_));
  return write_all(fd_.get(), data, path_);
}

Result<> BlockDevice::clear(std::uint64_t offset, ByteCount length) const {
  std::vector<std::byte> there(static_cast<std::size_t>(length.value));
  if (auto const got = read(offset, there); !got) return got;
  if (all_zeros(there)) return {};
  std::ranges::fill(there, std::byte{0});
  return write(offset, there);
}

void BlockDevice::discard() const {
  std::uint64_t range[2] = {0, size_.value};
  static_cast<void>(::ioctl(fd_.get(), BLKDISCARD, range));
}

Result<> BlockDevice::settle() const {
  if (::fsync(fd_.get()) != 0) return fail(errno_error(errno, "writing", path_));
  static_cast<void>(::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED));
  return {};
}

Result<std::vector<std::byte>> BlockDevice::head() const {
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(size_, device_end).value));
  return read(0, bytes).map([&] { return std::move(bytes); });
}

Result<bool> BlockDevice::is_blank() const {
  auto bytes = head();
  if (!bytes) return fail(bytes.error());
  if (!all_zeros(*bytes)) return false;
  if (auto const got = read(size_.value - bytes->size(), *bytes); !got) return fail(got.error());
  return all_zeros(*bytes);
}

}  // namespace imageswarm::sinks
