#include "indexer/ingest/temporary.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/base/uuid.hpp"

namespace imageswarm::ingest {
namespace fs = std::filesystem;

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

Result<TemporaryDirectory> TemporaryDirectory::create(fs::path const& directory) {
  auto path = directory / (".adding-" + Uuid::random().text() + ".tmp");
  if (::mkdir(path.c_str(), 0700) != 0) return fail(errno_error(errno, "making", path));
  return TemporaryDirectory{std::move(path)};
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code error;  // what cannot be removed now is when the store is opened next
  if (!path_.empty()) fs::remove_all(path_, error);
}

Result<> TemporaryDirectory::move_to(fs::path const& name) {
  UniqueFd const fd{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd || ::fchmod(fd.get(), 0755) != 0 || ::syncfs(fd.get()) != 0)
    return fail(errno_error(errno, "syncing", path_));
  if (auto moved = move_into_place(path_, name); !moved) return moved;
  path_.clear();
  return {};
}

}  // namespace imageswarm::ingest
