#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "common/base/result.hpp"
#include "daemon/flow/settings.hpp"

namespace imageswarm::hooks {

/// Whoever may change a program can act as the daemon: it and the directories above it must be root's, and nobody else
/// may write to them; a directory like /tmp, where nobody can replace what is another's, will do. The answer is the
/// path without symbolic links, to be run in its stead: who owns those does not matter then. Faults: not-found,
/// permission.
[[nodiscard]] Result<std::filesystem::path> safe_program(std::filesystem::path const& program);

/// Runs the program without a shell, in a process group of its own that ends with it; `body` is its stdin, what it
/// prints is logged, at most `most_lines` of it. Blocks.
/// Faults: those of `safe_program`, child-failed, timeout, cancelled.
[[nodiscard]] Result<> run(flow::HookSettings const& hook, std::string const& body, std::stop_token const& stop);
inline constexpr unsigned most_lines = 100;

}  // namespace imageswarm::hooks
