#include "common/base/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace imageswarm {
namespace {

void put(std::string_view text) {
  // A progress bar that cannot be shown is no reason to stop.
  [[maybe_unused]] auto const written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string progress_text(ByteCount done, ByteCount total, std::chrono::duration<double> spent) {
  constexpr int width = 24;
  double const share =
      total.value == 0 ? 1 : std::min(1.0, static_cast<double>(done.value) / static_cast<double>(total.value));
  double const rate = spent.count() > 0 ? static_cast<double>(done.value) / spent.count() : 0;
  auto const filled = static_cast<std::size_t>(share * width);
  auto text = fmt::format("[{:#<{}}{:.<{}}] {:3} %  {} of {}", "", filled, "", width - filled,
                          static_cast<int>(share * 100), human(done), human(total));
  if (rate < 1) return text;
  text += "  " + human(Rate{static_cast<std::uint64_t>(rate)});
  auto const left = std::chrono::seconds{std::llround(static_cast<double>((total - done).value) / rate)};
  return text + (done < total ? "  " + human(left) + " left" : "");
}

ProgressBar::ProgressBar(std::string label, ByteCount total)
    : label_{std::move(label)}, total_{total}, terminal_{::isatty(STDERR_FILENO) == 1} {}

ProgressBar::~ProgressBar() {
  if (terminal_ && drawn_) put("\n");
}

void ProgressBar::update(ByteCount done) {
  auto const now = Steady::now();
  auto const pause = terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{5000};
  bool const last = done >= total_;
  if (now - shown_ < pause && !(last && terminal_)) return;
  shown_ = now;
  drawn_ = true;
  auto const text = label_ + "  " + progress_text(done, total_, now - started_);
  // The rest of the line is cleared first: the new text may be shorter.
  put(terminal_ ? "\r\x1b[K" + text : text + "\n");
}

}  // namespace imageswarm
