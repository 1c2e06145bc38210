#pragma once

#include <chrono>
#include <string>

namespace imageswarm {

/// The kernel's name for the present boot of this host; empty if it cannot be read.
std::string const& boot_id();

/// CLOCK_BOOTTIME: goes on while the host is suspended, and nobody can set it.
std::chrono::seconds time_since_boot();

}  // namespace imageswarm
