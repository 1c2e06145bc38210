#include "indexer/interruption.hpp"

#include <atomic>

namespace imageswarm {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<bool> noted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch only lock-free atomics");

extern "C" void note_signal(int) {
  noted = true;
}

}  // namespace

Interruption::Interruption() {
  noted = false;
  struct sigaction action {};
  action.sa_handler = note_signal;
  ::sigaction(SIGINT, &action, &old_int_);
  ::sigaction(SIGTERM, &action, &old_term_);
}

Interruption::~Interruption() {
  ::sigaction(SIGINT, &old_int_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
}

bool Interruption::asked() const {
  return noted;
}

}  // namespace imageswarm
