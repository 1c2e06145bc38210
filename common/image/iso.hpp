#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {

/// Judges an ISO 9660 volume (ECMA-119) of `total` bytes, which is also the size of its disk. It is a CD and nothing
/// else: without the partition table that makes a hybrid of it, a disk to one tool and a CD to another.
/// Faults: image-….
[[nodiscard]] Result<ByteCount> check_iso(std::span<std::byte const> head, ByteCount total);

}  // namespace imageswarm::image
