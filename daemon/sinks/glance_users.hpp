#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "common/openstack/cloud.hpp"

namespace imageswarm::sinks {

/// Which instances were started from these images, as Nova says, for people; empty if none, or the cloud has no Nova.
/// Where it cannot be asked, that is said instead. Blocks.
std::string users_in_nova(openstack::Cloud const& cloud, std::vector<std::string> const& glance_ids,
                          std::stop_token const& stop);

}  // namespace imageswarm::sinks
