#pragma once

#include "daemon/control/ctl/commands.hpp"
#include "daemon/control/ctl/daemon.hpp"

namespace imageswarm::ctl {

/// Has a grid deployed and says how that goes until it is done: each component on stdout when it is, on a terminal also
/// what moves. The exit status: 4 where a component failed. Faults: daemon-unreachable, and why the grid cannot be
/// read.
[[nodiscard]] Result<int> deploy(Daemon const& daemon, Options const& options);

}  // namespace imageswarm::ctl
