#pragma once

#include "daemon/control/ctl/commands.hpp"

namespace imageswarm::ctl {

/// Copies an image from one cloud to another, in this process and with this user's clouds.yaml. The daemon is asked for
/// the digests that were signed of it; where it does not answer or know them, Glance's own count alone, and it is said.
/// Faults: usage, config-…, those of openstack::find_source and copy::copy_image.
[[nodiscard]] Result<> copy_between_clouds(Options const& options);

}  // namespace imageswarm::ctl
