#include "common/base/clock.hpp"

#include <algorithm>
#include <cctype>

#include "common/base/text.hpp"

namespace imageswarm {

TimePoint SystemClock::now() const {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<TimePoint> parse_time(std::string_view text) {
  static constexpr std::string_view form = "dddd-dd-ddTdd:dd:ddZ";
  auto const fits = [](char expected, char seen) {
    return expected == 'd' ? std::isdigit(static_cast<unsigned char>(seen)) != 0 : expected == seen;
  };
  if (text.size() == form.size() && std::equal(form.begin(), form.end(), text.begin(), fits)) {
    auto const number = [&](std::size_t at, std::size_t length) {
      unsigned value = 0;
      for (char digit : text.substr(at, length)) value = value * 10 + static_cast<unsigned>(digit - '0');
      return value;
    };
    using namespace std::chrono;
    year_month_day const date{year{static_cast<int>(number(0, 4))}, month{number(5, 2)}, day{number(8, 2)}};
    auto const hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (date.ok() && hour < 24 && minute < 60 && second < 60) {
      return sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
    }
  }
  return fail(Fault::doc_field, "'{}' is not a time of the form YYYY-MM-DDThh:mm:ssZ", printable(text));
}

std::string format_time(TimePoint time) {
  using namespace std::chrono;
  auto const days = floor<std::chrono::days>(time);
  year_month_day const date{days};
  hh_mm_ss const clock{time - days};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

TimePoint build_time() {
  return TimePoint{std::chrono::seconds{IMAGESWARM_BUILD_TIME}};
}

}  // namespace imageswarm
