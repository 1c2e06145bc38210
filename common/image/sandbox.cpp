#include "common/image/sandbox.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "common/image/protocol.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IMAGESWARM_SANITIZED 1  // reserves terabytes of address space and makes calls of its own
#else
#define IMAGESWARM_SANITIZED 0
#endif

namespace imageswarm::image {
namespace {

struct Rule {
  int call;
  std::vector<scmp_arg_cmp> arguments;
};

bool is_socket(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

std::vector<Rule> allowed_calls() {
  auto const only = [](int descriptor) {
    return std::vector{SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(descriptor))};
  };
  auto const not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  auto const anonymous = SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS);
  std::vector<Rule> rules{
      {SCMP_SYS(pread64), only(artefact_descriptor)},
      {SCMP_SYS(write), only(content_descriptor)},
      {SCMP_SYS(write), only(verdict_descriptor)},
      {SCMP_SYS(mmap), {not_executable, anonymous}},
      {SCMP_SYS(mprotect), {not_executable}},
      {SCMP_SYS(munmap), {}},
      {SCMP_SYS(mremap), {}},
      {SCMP_SYS(brk), {}},
      {SCMP_SYS(madvise), {}},
      {SCMP_SYS(futex), {}},
      {SCMP_SYS(clock_gettime), {}},
      {SCMP_SYS(restart_syscall), {}},
      {SCMP_SYS(rt_sigreturn), {}},
      {SCMP_SYS(exit_group), {}},
  };
  if (is_socket(artefact_descriptor)) {
    rules.push_back({SCMP_SYS(read), only(artefact_descriptor)});
    rules.push_back({SCMP_SYS(write), only(artefact_descriptor)});
  }
  if constexpr (IMAGESWARM_SANITIZED) {
    for (int const call : {SCMP_SYS(sched_yield), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(sigaltstack),
                           SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction)}) {
      rules.push_back({call, {}});
    }
  }
  return rules;
}

Result<> limit(__rlimit_resource what, std::uint64_t most) {
  rlimit now{};
  ::getrlimit(what, &now);
  // Where the service manager allows less already, that stays.
  auto const value = std::min<rlim_t>(most, now.rlim_max);
  rlimit const wanted{value, value};
  if (::setrlimit(what, &wanted) != 0) {
    return fail(Fault::internal, "setting a resource limit: {}", std::strerror(errno));
  }
  return {};
}

Result<> limit_resources(Limits const& limits) {
  struct {
    __rlimit_resource what;
    std::uint64_t most;
  } const table[] = {
      {RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu.count())},
      {RLIMIT_FSIZE, 0},
      {RLIMIT_NOFILE, 0},  // descriptors that are open stay usable
      {RLIMIT_CORE, 0},
      {RLIMIT_NPROC, 0},
      {RLIMIT_AS, IMAGESWARM_SANITIZED ? RLIM_INFINITY : limits.memory.value},
  };
  for (auto const& row : table) {
    if (auto const done = limit(row.what, row.most); !done) return done;
  }
  return {};
}

Result<> filter_calls() {
  struct Release {
    void operator()(void* filter) const { ::seccomp_release(filter); }
  };
  // With one thread, and no way to make another, this kills the process; unlike SCMP_ACT_KILL_PROCESS it also works
  // where a unit's SystemCallFilter= leaves only prctl(2) to install a filter.
  std::unique_ptr<void, Release> const filter{::seccomp_init(SCMP_ACT_KILL_THREAD)};
  if (!filter) return fail(Fault::internal, "libseccomp does not work here");
  for (auto const& rule : allowed_calls()) {
    int const error = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, rule.call,
                                               static_cast<unsigned>(rule.arguments.size()), rule.arguments.data());
    if (error != 0) return fail(Fault::internal, "making the system call filter: {}", std::strerror(-error));
  }
  if (int const error = ::seccomp_load(filter.get()); error != 0) {
    return fail(Fault::internal, "installing the system call filter: {}", std::strerror(-error));
  }
  return {};
}

}  // namespace

Result<> enter_sandbox(Limits const& limits) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail(Fault::internal, "giving up privileges: {}", std::strerror(errno));
  }
  ::close_range(static_cast<unsigned>(verdict_descriptor) + 1, ~0u, 0);
  if (auto const done = limit_resources(limits); !done) return done;
  return filter_calls();
}

}  // namespace imageswarm::image
