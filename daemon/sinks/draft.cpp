#include "daemon/sinks/draft.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/base/zeros.hpp"

namespace imageswarm::sinks {

Result<Draft> Draft::make(std::filesystem::path const& final_path) {
  auto const name = "." + final_path.filename().native() + ".XXXXXX.tmp";
  auto path = (final_path.parent_path() / name).native();
  UniqueFd fd{::mkostemps(path.data(), 4, O_CLOEXEC)};
  if (!fd) return fail(errno_error(errno, "making a file in", final_path.parent_path()));
  return Draft{std::move(fd), std::move(path)};
}

Draft::~Draft() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<> Draft::append(std::span<std::byte const> data) {
  auto written = write_with_holes(fd_.get(), size_.value, data, path_);
  if (written) size_ += ByteCount{data.size()};
  return written;
}

bool Draft::share(UniqueFd const& from, ByteCount size) {
  if (::ioctl(fd_.get(), FICLONE, from.get()) != 0) return false;
  size_ = size;
  return true;
}

Result<> Draft::set_length() const {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_.value)) == 0) return {};
  return fail(errno_error(errno, "finishing", path_));
}

Result<> Draft::become(std::filesystem::path const& final_path, VerifiedContent const&, std::optional<gid_t> group) {
  if (auto const done = set_length(); !done) return done;
  if (::fchmod(fd_.get(), 0644) != 0) return fail(errno_error(errno, "finishing", path_));
  if (group) {
    if (auto const given = give_to(*group); !given) return given;
  }
  auto moved = move_into_place(path_, final_path);
  if (moved) path_.clear();
  return moved;
}

/// In a directory with the setgid bit it has the group already, and nothing has to be allowed to us.
Result<> Draft::give_to(gid_t group) const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return fail(errno_error(errno, "finishing", path_));
  if (status.st_gid == group || ::fchown(fd_.get(), static_cast<uid_t>(-1), group) == 0) return {};
  return fail(errno_error(errno, "setting the group of", path_));
}

Result<> check_room(std::filesystem::path const& directory, ByteCount needed) {
  auto const room = free_space(directory);
  if (!room) return fail(room.error());
  if (*room >= needed) return {};
  return fail(Fault::disk_full, "{} are free and the image has {}; free some space", human(*room), human(needed));
}

}  // namespace imageswarm::sinks
