#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/openstack/cloud.hpp"

namespace imageswarm::openstack {

/// A virtual machine of Nova's.
struct Instance {
  std::string id, name;
  bool operator==(Instance const&) const = default;
};

/// The instances that were started from this image, running or not: those of every project, or those of our own where
/// the credentials reach no further; no more than `most`. An instance that boots from a volume names no image.
/// Nothing: the cloud has no compute service. Blocks. Faults: keystone-…, http-…, cancelled.
[[nodiscard]] Result<std::optional<std::vector<Instance>>> instances_of(Cloud const& cloud, std::string_view image_id,
                                                                        std::size_t most, std::stop_token const& stop);

}  // namespace imageswarm::openstack
