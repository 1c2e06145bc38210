#include "daemon/control/ctl/watch.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "common/base/file.hpp"

namespace imageswarm::ctl {
namespace {

bool put(std::string_view text) {
  return write_all(STDOUT_FILENO, std::as_bytes(std::span{text}), "standard output").has_value();
}

/// The alternate screen without a cursor; at the end everything is as it was.
class Canvas {
public:
  explicit Canvas(bool terminal) : terminal_{terminal} {
    if (terminal_) put("\033[?1049h\033[?25l");
  }
  ~Canvas() {
    if (terminal_) put("\033[?25h\033[?1049l");
  }
  Canvas(Canvas const&) = delete;
  Canvas& operator=(Canvas const&) = delete;

  bool draw(std::string const& page) const {
    if (!terminal_) return put(page + "\n");
    // Each line is cleared behind its text, and what is left below the last one: nothing flickers.
    std::string drawn = "\033[H";
    for (char c : page) drawn += c == '\n' ? std::string{"\033[K\r\n"} : std::string{c};
    return put(drawn + "\033[J");
  }

private:
  bool terminal_;
};

}  // namespace

std::string clipped(std::string const& page, unsigned height) {
  auto const lines = static_cast<std::size_t>(std::ranges::count(page, '\n'));
  // The last line of the terminal stays free: a line feed there would scroll.
  if (height < 3 || lines < height) return page;
  std::size_t end = 0;
  for (unsigned line = 0; line < height - 2; ++line) end = page.find('\n', end) + 1;
  return fmt::format("{}({} more lines)\n", page.substr(0, end), lines - (height - 2));
}

void watch(std::function<std::string(Screen const&)> const& page) {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&signals, signal);
  // Blocked, so that they are taken here and nowhere else.
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  Canvas const canvas{::isatty(STDOUT_FILENO) != 0};
  for (;;) {
    auto const screen = screen_of(STDOUT_FILENO);
    if (!canvas.draw(clipped(page(screen), screen.height))) return;
    timespec const second{1, 0};
    auto const signal = sigtimedwait(&signals, nullptr, &second);
    if (signal > 0 && signal != SIGWINCH) return;
  }
}

}  // namespace imageswarm::ctl
