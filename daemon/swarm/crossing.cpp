#include "daemon/swarm/crossing.hpp"

#include <algorithm>
#include <random>

namespace imageswarm::swarm {

Rank rank_of(std::chrono::system_clock::time_point began) {
  auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(began.time_since_epoch()).count();
  return static_cast<Rank>(seconds) << 32 | static_cast<Rank>(std::random_device{}() & 0xFFFFFFFFu);
}

bool Crossing::allowed(std::vector<Neighbour> const& neighbours, unsigned copies, Instant now) {
  if (on_its_own_) return true;
  if (now - began_ < waits_.settle) return false;
  bool const one_has_it = std::ranges::any_of(neighbours, &Neighbour::complete);
  auto const ahead = std::ranges::count_if(
      neighbours, [this](Neighbour const& other) { return !other.complete && other.rank < own_; });
  auto const places = one_has_it ? 0 : static_cast<std::ptrdiff_t>(copies);
  if (ahead < places) return true;
  on_its_own_ = now - fed_ >= waits_.drought * (ahead - places + 1);
  return on_its_own_;
}

}  // namespace imageswarm::swarm
