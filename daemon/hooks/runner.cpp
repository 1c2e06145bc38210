#include "daemon/hooks/runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <thread>

#include "common/base/child.hpp"
#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::hooks {
namespace {

namespace fs = std::filesystem;

constexpr int not_started = 127;

Result<> check_owner(fs::path const& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return fail(errno_error(errno, "looking at", path));
  bool const is_shared = S_ISDIR(about.st_mode) && (about.st_mode & S_ISVTX) != 0;
  bool const is_safe = about.st_uid == 0 && (is_shared || (about.st_mode & (S_IWGRP | S_IWOTH)) == 0);
  if (is_safe) return {};
  return fail(Fault::permission, "{} must be owned by root and writable by nobody else (chown root:root, chmod go-w)",
              printable(path.native()));
}

/// What comes out of a program, line by line into the log.
class Output {
public:
  explicit Output(std::string hook) : hook_{std::move(hook)} {}

  /// Until its end, or when `done` until there is nothing more just now, or a pipe's worth: a process that got
  /// away may hold it open, and go on.
  void read(UniqueFd const& pipe, std::stop_token const& done) {
    constexpr int most_pieces_after_end = 16;
    for (int after_end = 0; after_end < most_pieces_after_end;) {
      bool const is_last = done.stop_requested();
      after_end += is_last ? 1 : 0;
      pollfd ready{pipe.get(), POLLIN, 0};
      if (::poll(&ready, 1, is_last ? 0 : 100) <= 0) {
        if (is_last) break;
        continue;
      }
      std::array<char, 4096> buffer;
      auto const count = ::read(pipe.get(), buffer.data(), buffer.size());
      if (count <= 0) break;
      take({buffer.data(), static_cast<std::size_t>(count)});
    }
    if (!line_.empty()) say();
  }

private:
  void take(std::string_view text) {
    for (char const letter : text) {
      if (letter == '\n') {
        say();
      } else if (line_.size() < longest_line) {
        line_ += letter;
      }
    }
  }

  void say() {
    if (++lines_ <= most_lines) log_info("hook {}: {}", hook_, printable(line_, longest_line));
    if (lines_ == most_lines + 1) log_info("hook {}: what else it prints is not logged", hook_);
    line_.clear();
  }

  static constexpr std::size_t longest_line = 1000;
  std::string hook_, line_;
  unsigned lines_ = 0;
};

}  // namespace

Result<fs::path> safe_program(fs::path const& program) {
  std::error_code error;
  auto const path = fs::canonical(program, error);
  if (error) return fail(errno_error(error.value(), "looking at", program));
  if (!fs::is_regular_file(path, error)) return fail(Fault::permission, "{} is not a file", printable(path.native()));
  for (auto at = path;; at = at.parent_path()) {
    if (auto safe = check_owner(at); !safe) return fail(std::move(safe.error()));
    if (at == at.root_path()) return path;
  }
}

Result<> run(flow::HookSettings const& hook, std::string const& body, std::stop_token const& stop) {
  auto const program = safe_program(hook.run.front());
  if (!program) return fail(program.error());
  if (::access(program->c_str(), X_OK) != 0) return fail(errno_error(errno, "running", *program));
  auto const input = file_in_memory(body);
  if (!input) return fail(input.error());
  auto pipe = make_pipe();
  if (!pipe) return fail(std::move(pipe.error()));
  auto& [reading, writing] = *pipe;

  auto argv = hook.run;
  argv.front() = program->native();
  auto child = Child::start(
      {.argv = std::move(argv),
       .descriptors = {{input->get(), 0}, {writing.get(), 1}, {writing.get(), 2}},
       .environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"},
       .own_group = true});
  if (!child) return fail(std::move(child.error()));
  writing.reset();
  std::jthread const reader{
      [name = hook.name(), &pipe = reading](std::stop_token const& done) { Output{name}.read(pipe, done); }};
  auto const status = child->wait(stop, hook.timeout);
  if (!status) return fail(status.error());
  if (*status == 0) return {};
  if (*status == not_started) return fail(Fault::child_failed, "it could not be started, or ended with status 127");
  if (*status > 128) return fail(Fault::child_failed, "it was ended by signal {}", *status - 128);
  return fail(Fault::child_failed, "it ended with status {}", *status);
}

}  // namespace imageswarm::hooks
