#include "common/base/log.hpp"

#include <unistd.h>

#include <algorithm>

namespace imageswarm {
namespace {

struct Settings {
  std::string program = "imageswarm";
  LogLevel most = LogLevel::info;
  bool to_journal = false;
};
Settings& settings() {
  static Settings kept;
  return kept;
}

/// Priorities of syslog(3).
int priority(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return 3;
    case LogLevel::warning:
      return 4;
    case LogLevel::info:
      return 6;
    case LogLevel::debug:
      return 7;
  }
  return 7;
}

}  // namespace

void configure_log(std::string program, LogLevel most, bool to_journal) {
  settings() = {std::move(program), most, to_journal};
}

void log(LogLevel level, std::string_view line) {
  auto const& kept = settings();
  if (level > kept.most) return;
  auto text =
      kept.to_journal ? fmt::format("<{}>{}\n", priority(level), line) : fmt::format("{}: {}\n", kept.program, line);
  std::replace(text.begin(), text.end() - 1, '\n', ' ');
  // Nothing can be done about a log that cannot be written.
  [[maybe_unused]] auto const written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace imageswarm
