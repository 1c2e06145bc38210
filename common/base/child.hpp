#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/result.hpp"

namespace imageswarm {

/// What to start. The child gets the descriptors that are named here and no others: everything else is closed between
/// fork and exec (libtorrent's sockets are not close-on-exec).
struct ChildCommand {
  std::vector<std::string> argv;                 ///< argv[0] is a path, not searched for
  std::vector<std::pair<int, int>> descriptors;  ///< (ours, the number it has in the child); 0-2 default to /dev/null
  std::vector<std::string> environment;          ///< complete, "NAME=value"; empty by default
  /// A group of processes for it and what it starts, which is killed when it ends. If our thread ends first, it alone
  /// is killed: what it started is then left to the service manager.
  bool own_group = false;
};

/// A running child process; killed and reaped if it is still there at the end.
class Child {
public:
  [[nodiscard]] static Result<Child> start(ChildCommand const& command);
  Child(Child&& other) noexcept : pid_{std::exchange(other.pid_, -1)}, has_group_{other.has_group_} {}
  Child& operator=(Child&&) = delete;
  ~Child();

  /// Blocks until it ends. Its exit status, or 128 + the number of the signal that ended it.
  /// When `stop` is requested or the deadline passes it is killed; faults: cancelled, timeout.
  [[nodiscard]] Result<int> wait(std::stop_token const& stop, std::optional<std::chrono::seconds> deadline = {});
  void kill();

private:
  Child(pid_t pid, bool has_group) : pid_{pid}, has_group_{has_group} {}
  int reap();

  pid_t pid_ = -1;
  bool has_group_ = false;
};

/// A pipe: first the end to read from, second the end to write to; both close-on-exec.
[[nodiscard]] Result<std::pair<UniqueFd, UniqueFd>> make_pipe();

/// A file without a name, to be read from its beginning: what a child gets that must not stand in its arguments.
[[nodiscard]] Result<UniqueFd> file_in_memory(std::string_view content);

/// A program of ours that is not for people: beside the running program (a build tree), or in the libexec of the prefix
/// below which the running program is installed.
std::filesystem::path helper_program(std::string_view name);

}  // namespace imageswarm
