#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace imageswarm::swarm {

/// Who began earlier comes first: a host that joins later takes nothing over from one that is at work.
using Rank = std::int64_t;
/// Of a transfer that begins now. Two hosts of one second are told apart by chance.
Rank rank_of(std::chrono::system_clock::time_point began);

/// A host of the same site that has an image or fetches it.
struct Neighbour {
  Rank rank = 0;
  bool complete = false;
};

/// Whether this host may fetch an image across the link into the site (docs/decisions/0008-copies-across-a-link.md).
/// Of the hosts that know one another the first ones may, as many as copies are allowed, and nobody while one of them
/// has the image; the others get it from those. Who gets nothing for long enough goes by itself, one after the other.
class Crossing {
public:
  using Instant = std::chrono::steady_clock::time_point;
  struct Waits {
    std::chrono::milliseconds settle{5'000};    ///< until the neighbours are known
    std::chrono::milliseconds drought{30'000};  ///< without a piece, of whoever is first among those who wait
  };

  Crossing(Rank own, Instant now, Waits waits) : own_{own}, began_{now}, fed_{now}, waits_{waits} {}

  /// A piece of the image has arrived and is right, from wherever.
  void fed(Instant now) { fed_ = now; }
  bool allowed(std::vector<Neighbour> const& neighbours, unsigned copies, Instant now);

private:
  Rank own_;
  Instant began_, fed_;
  Waits waits_;
  bool on_its_own_ = false;  ///< the neighbours did not deliver; until the end of the transfer
};

}  // namespace imageswarm::swarm
