#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace imageswarm {

/// error: someone must act; warning: we coped; info: rare and bounded, never at an outsider's will; debug: the rest.
enum class LogLevel : std::uint8_t { error, warning, info, debug };

/// Who is speaking and how much is said. Called once by `main`, before any thread starts.
///
/// `to_journal` puts the "<N>" priority of sd-daemon(3) in front of each line instead of "program: ".
void configure_log(std::string program, LogLevel most, bool to_journal);

/// One line on stderr, in one write. Thread-safe.
void log(LogLevel level, std::string_view line);

template <class... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::debug, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace imageswarm
