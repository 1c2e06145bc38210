#include "indexer/ingest/block_device.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

#include "common/base/text.hpp"

namespace imageswarm::ingest {
namespace fs = std::filesystem;
namespace {

/// "dm-0": what is built upon the device, by the kernel's own list.
std::string holders_of(dev_t device) {
  std::vector<std::string> names;
  auto const folder = fmt::format("/sys/dev/block/{}:{}/holders", major(device), minor(device));
  std::error_code ignored;
  for (auto const& entry : fs::directory_iterator{folder, ignored}) names.push_back(entry.path().filename().native());
  return join(names, ", ");
}

/// Does this descriptor of another process, a link in /proc, lead to the device with the right to write?
bool writes_to(fs::path const& descriptor, dev_t device) {
  struct stat link {
  }, target{};
  return ::lstat(descriptor.c_str(), &link) == 0 && (link.st_mode & S_IWUSR) != 0 &&
         ::stat(descriptor.c_str(), &target) == 0 && S_ISBLK(target.st_mode) && target.st_rdev == device;
}

/// "qemu-system-x86 (4711)": a process that has it open for writing, as far as we may look.
std::optional<std::string> writer_of(dev_t device) {
  std::error_code ignored;
  for (auto const& process : fs::directory_iterator{"/proc", ignored}) {
    for (auto const& descriptor : fs::directory_iterator{process.path() / "fd", ignored}) {
      if (!writes_to(descriptor.path(), device)) continue;
      auto const name = read_file(process.path() / "comm", 1_KiB);
      return fmt::format("{} ({})", name ? printable(trimmed(*name)) : "a process", process.path().filename().native());
    }
  }
  return std::nullopt;
}

}  // namespace

Result<BlockDevice> open_unused(fs::path const& path) {
  auto const shown = printable(path.native());
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail(errno_error(errno, "opening", path));
  if (!S_ISBLK(status.st_mode)) {
    return fail(Fault::usage, "{} is not a block device; an image in a file is added without --from-device", shown);
  }
  // On a block device this is no matter of creating it: it fails while anybody has claimed it (open(2)).
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)};
  if (!fd && errno == EBUSY) {
    auto const holders = holders_of(status.st_rdev);
    return fail(Fault::disk_error, "{} is in use: {}; its content may change while it is read", shown,
                holders.empty() ? "it or a part of it is mounted" : "it is part of " + holders);
  }
  if (!fd) return fail(errno_error(errno, "opening", path));
  if (auto const writer = writer_of(status.st_rdev)) {
    return fail(Fault::disk_error, "{} is in use: {} has it open for writing; its content may change while it is read",
                shown, *writer);
  }
  std::uint64_t size = 0;
  if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0) return fail(errno_error(errno, "reading", path));
  if (size == 0) return fail(Fault::disk_error, "{} has no size: nothing is behind it", shown);
  return BlockDevice{std::move(fd), {size}};
}

}  // namespace imageswarm::ingest
