#include "tests/attacks/run.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <thread>

#include "common/base/file.hpp"

/// Of a build that counts what is run (preset coverage): the counts are else lost at `_exit`.
extern "C" void __gcov_dump() __attribute__((weak));

namespace imageswarm::attacks {
namespace {

/// Longer than any single attack may take: the slowest servers are given up after 30 s.
constexpr unsigned most_seconds = 120;

struct Running {
  std::size_t index;
  UniqueFd answer;
};

std::string outcome_here(Attack const& attack) {
  try {
    return attack.outcome();
  } catch (std::exception const& error) {
    return std::string{"threw "} + error.what();
  }
}

[[noreturn]] void be_the_child(Attack const& attack, int answer) {
  ::alarm(most_seconds);
  auto const outcome = outcome_here(attack).substr(0, 4096);
  if (__gcov_dump) __gcov_dump();
  ::_exit(::write(answer, outcome.data(), outcome.size()) == static_cast<ssize_t>(outcome.size()) ? 0 : 1);
}

/// The child's answer, which fits into its pipe.
std::string answer_of(Running const& child, int status) {
  if (WIFSIGNALED(status)) return "died of signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "gave up";
  std::string text(4096, '\0');
  auto const size = ::read(child.answer.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

std::pair<pid_t, Running> start(Table const& attacks, std::size_t index) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  auto const pid = ::fork();
  if (pid < 0) std::abort();
  if (pid == 0) be_the_child(attacks[index], ends[1]);
  ::close(ends[1]);
  return {pid, Running{index, UniqueFd{ends[0]}}};
}

}  // namespace

std::vector<std::string> run(Table const& attacks) {
  std::vector<std::string> outcomes(attacks.size());
  std::map<pid_t, Running> running;
  auto const at_once = 2 * std::max(1u, std::thread::hardware_concurrency());  // some only wait
  for (std::size_t next = 0; next < attacks.size() || !running.empty();) {
    if (next < attacks.size() && running.size() < at_once) {
      running.insert(start(attacks, next++));
      continue;
    }
    int status = 0;
    auto const child = running.extract(::wait(&status));
    outcomes[child.mapped().index] = answer_of(child.mapped(), status);
  }
  return outcomes;
}

}  // namespace imageswarm::attacks
