#pragma once

#include <cstddef>

#include "daemon/selection/select.hpp"

namespace imageswarm::selection {

/// What one new version of a document would take from this host.
struct Loss {
  std::size_t held = 0;       ///< images that are here, neither withdrawn nor recalled as things stand
  std::size_t withdrawn = 0;  ///< how many of these it would withdraw

  /// More than this share?
  bool exceeds(unsigned percent) const { return withdrawn * 100 > percent * held; }
};

/// Compares the plan as things stand with the one that the new version would give. Recalled, expired, not approved and
/// superseded are not withdrawn.
Loss loss_between(Input const& present, Input const& then);

}  // namespace imageswarm::selection
