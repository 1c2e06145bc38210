#pragma once

#include <functional>
#include <string>

#include "daemon/control/ctl/screen.hpp"

namespace imageswarm::ctl {

/// Draws `page` afresh each second and whenever the terminal changes its size, until SIGINT or SIGTERM; then the
/// terminal is as it was before. Where there is no terminal the pages simply follow one another.
void watch(std::function<std::string(Screen const&)> const& page);

/// The first `height` lines of a page, the last of them saying how many are left out; 0 = all.
std::string clipped(std::string const& page, unsigned height);

}  // namespace imageswarm::ctl
