#pragma once

#include <csignal>

namespace imageswarm {

/// While it lives, SIGINT and SIGTERM are noted instead of ending the program, so that long work can stop by itself and
/// leave nothing behind. One at a time.
class Interruption {
public:
  Interruption();
  ~Interruption();
  Interruption(Interruption const&) = delete;
  Interruption& operator=(Interruption const&) = delete;

  bool asked() const;

private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
};

}  // namespace imageswarm
