#pragma once

#include <cstddef>
#include <span>

#include "common/image/inspect.hpp"

namespace imageswarm::image {

/// Looks for an MBR or GPT partition table in the head of a disk as Glance's inspector does, which takes whatever ends
/// its first sector with 55 AA for a disk with partitions.
Partitions partitions_of(std::span<std::byte const> head);

}  // namespace imageswarm::image
