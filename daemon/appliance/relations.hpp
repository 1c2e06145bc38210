#pragma once

#include <vector>

#include "common/base/result.hpp"
#include "daemon/appliance/grid.hpp"

namespace imageswarm::appliance {

/// Each component behind those that it needs, and otherwise as they came. Fault config-value: it needs one that is not
/// there, or itself by way of others, which are named.
[[nodiscard]] Result<std::vector<Component>> in_order(std::vector<Component> components);

}  // namespace imageswarm::appliance
