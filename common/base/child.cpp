#include "common/base/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace imageswarm {
namespace {

/// Between fork and exec: async-signal-safe calls only. Returns only on failure.
void become(char* const* argv, char* const* environment, std::pair<int, int> const* moves, std::size_t count) {
  // First out of the way of every target number, then into place.
  int parked[16];
  if (count > 16) return;
  for (std::size_t i = 0; i < count; ++i) {
    parked[i] = ::fcntl(moves[i].first, F_DUPFD_CLOEXEC, 64);
    if (parked[i] < 0) return;
  }
  int const null = ::open("/dev/null", O_RDWR);
  for (int fd : {0, 1, 2}) ::dup2(null, fd);
  int highest = 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (::dup2(parked[i], moves[i].second) < 0) return;
    highest = std::max(highest, moves[i].second);
  }
  for (int fd = 3; fd < highest; ++fd) {
    if (std::none_of(moves, moves + count, [fd](auto const& move) { return move.second == fd; })) ::close(fd);
  }
  ::close_range(static_cast<unsigned>(highest + 1), ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(argv[0], argv, environment);
}

std::vector<char*> pointers(std::vector<std::string> const& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto const& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<Child> Child::start(ChildCommand const& command) {
  auto const argv = pointers(command.argv);
  auto const environment = pointers(command.environment);
  auto const* moves = command.descriptors.data();
  auto const count = command.descriptors.size();
  pid_t const ours = ::getpid();
  pid_t const pid = ::fork();
  if (pid < 0) return fail(errno_error(errno, "starting", command.argv.front()));
  if (pid == 0) {
    if (command.own_group) {
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != ours) ::_exit(127);
    }
    become(argv.data(), environment.data(), moves, count);
    ::_exit(127);
  }
  if (command.own_group) ::setpgid(pid, pid);  // whoever is first: `kill` may come before the child runs
  return Child{pid, command.own_group};
}

Child::~Child() {
  if (pid_ < 0) return;
  kill();
  reap();
}

void Child::kill() {
  if (pid_ > 0) ::kill(has_group_ ? -pid_ : pid_, SIGKILL);
}

/// As long as it is not reaped no other process can have its number, nor can another group.
int Child::reap() {
  if (has_group_) {
    siginfo_t ended;
    ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT);
    kill();
  }
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

Result<int> Child::wait(std::stop_token const& stop, std::optional<std::chrono::seconds> deadline) {
  // A pidfd becomes readable when the process ends, so both waits are one poll. glibc 2.36 has the call.
  UniqueFd const handle{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
  if (!handle) return fail(errno_error(errno, "waiting for", "a child process"));
  auto const end = std::chrono::steady_clock::now() + deadline.value_or(std::chrono::hours{24 * 365});
  for (;;) {
    pollfd ready{handle.get(), POLLIN, 0};
    int const count = ::poll(&ready, 1, 200);
    if (count > 0) break;
    if (stop.stop_requested()) {
      kill();
      return fail(Fault::cancelled, "the child process was stopped");
    }
    if (std::chrono::steady_clock::now() >= end) {
      kill();
      return fail(Fault::timeout, "the child process took longer than {} s", deadline->count());
    }
  }
  int const status = reap();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<std::pair<UniqueFd, UniqueFd>> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errno_error(errno, "making", "a pipe"));
  return std::pair{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

Result<UniqueFd> file_in_memory(std::string_view content) {
  UniqueFd fd{::memfd_create("imageswarm", MFD_CLOEXEC)};
  if (!fd) return fail(errno_error(errno, "making", "a file in memory"));
  if (auto const written = write_all(fd.get(), std::as_bytes(std::span{content}), "a file in memory"); !written)
    return fail(written.error());
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) return fail(errno_error(errno, "reading", "a file in memory"));
  return fd;
}

std::filesystem::path helper_program(std::string_view name) {
  std::error_code error;
  auto const self = std::filesystem::read_symlink("/proc/self/exe", error);
  auto const beside = self.parent_path() / name;
  if (!error && std::filesystem::exists(beside, error)) return beside;
  return self.parent_path().parent_path() / IMAGESWARM_LIBEXECDIR / name;
}

}  // namespace imageswarm
