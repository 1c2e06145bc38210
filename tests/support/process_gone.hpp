#pragma once

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace imageswarm::test {

/// Does the process end within ten seconds? One that nobody has reaped has ended.
inline bool ends(int pid) {
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (std::chrono::steady_clock::now() < deadline) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number, name, state;
    if (!(file >> number >> name >> state) || state == "Z") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return false;
}

}  // namespace imageswarm::test
