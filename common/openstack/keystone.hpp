#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "common/base/result.hpp"
#include "common/openstack/cloud.hpp"

namespace imageswarm::openstack {

/// A secret: never log it.
struct Token {
  std::string value;
  std::string project_id;
  std::string image_url;                             ///< Glance, ends in /v2
  std::string compute_url;                           ///< Nova, as the catalogue says it; empty: there is none
  std::chrono::steady_clock::time_point good_until;  ///< some time before it really expires
};

/// A new token from Keystone v3, and where the catalogue says Glance is.
/// Faults: keystone-unauthorized, keystone-unavailable, keystone-catalog, cancelled.
[[nodiscard]] Result<Token> authenticate(Cloud const& cloud, std::stop_token const& stop);

}  // namespace imageswarm::openstack
