#pragma once

#include <chrono>
#include <string>

#include "common/base/units.hpp"

namespace imageswarm {

/// How far a long reading has come, on stderr: a bar with rate and time left on a terminal, a plain line every few
/// seconds otherwise.
class ProgressBar {
public:
  ProgressBar(std::string label, ByteCount total);
  ~ProgressBar();  ///< leaves the terminal on a fresh line
  ProgressBar(ProgressBar const&) = delete;
  ProgressBar& operator=(ProgressBar const&) = delete;

  void update(ByteCount done);

private:
  using Steady = std::chrono::steady_clock;

  std::string label_;
  ByteCount total_;
  bool terminal_;
  Steady::time_point started_ = Steady::now();
  Steady::time_point shown_ = started_;
  bool drawn_ = false;
};

/// "[########............]  40 %  1.2 GB of 3 GB  310 MB/s  6s left"
std::string progress_text(ByteCount done, ByteCount total, std::chrono::duration<double> spent);

}  // namespace imageswarm
