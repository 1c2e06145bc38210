#include "common/base/boot.hpp"

#include <ctime>

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm {

std::string const& boot_id() {
  static std::string const id = [] {
    auto text = read_file("/proc/sys/kernel/random/boot_id", 1_KiB);
    return text ? std::string{trimmed(*text)} : "";
  }();
  return id;
}

std::chrono::seconds time_since_boot() {
  timespec since{};
  ::clock_gettime(CLOCK_BOOTTIME, &since);
  return std::chrono::seconds{since.tv_sec};
}

}  // namespace imageswarm
