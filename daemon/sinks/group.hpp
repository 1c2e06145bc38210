#pragma once

#include <sys/types.h>

#include <string>

#include "common/base/result.hpp"

namespace imageswarm::sinks {

/// The number of a group that this process may give to its files; `group` is a name or a number. Thread-safe.
/// Faults: not-found (no such group), permission (the process is not in it).
[[nodiscard]] Result<gid_t> own_group(std::string const& group);

}  // namespace imageswarm::sinks
