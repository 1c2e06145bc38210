#include "daemon/sinks/file_use.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>

namespace imageswarm::sinks {
namespace {

bool is_locked(int fd) {
  struct flock whole {};
  whole.l_type = F_WRLCK;  // asking needs no write access, and finds shared locks too
  whole.l_whence = SEEK_SET;
  return ::fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/// A write lease is given only where nobody else has the file open; one's own files can be leased without privileges.
bool is_open_elsewhere(int fd) {
  // Whoever opens the file meanwhile has us told by a signal, by default one that would end the process.
  if (::fcntl(fd, F_SETSIG, SIGURG) != 0) return false;
  return ::fcntl(fd, F_SETLEASE, F_WRLCK) != 0 && errno == EAGAIN;
}

}  // namespace

std::optional<std::string> other_user_of(UniqueFd const& fd) {
  if (is_locked(fd.get())) return "a program holds a lock on it, as virtual machines do on their disks";
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && status.st_nlink > 1) return "the file has another name (a hard link)";
  if (is_open_elsewhere(fd.get())) return "a program has it open";
  return std::nullopt;
}

}  // namespace imageswarm::sinks
