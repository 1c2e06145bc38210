#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/image/content.hpp"
#include "common/image/inspect.hpp"

namespace imageswarm::image {

/// As much of the beginning of an image as its verdict needs: the largest cluster of qcow2, whose first one holds all
/// of the header.
inline constexpr ByteCount head_size = 2_MiB;
/// As much of the end: the footer of a VHD.
inline constexpr ByteCount tail_size{512};

/// The verdict on an image: an appliance (ova.hpp), or a disk.
/// Faults: image-…, and those of reading the content.
[[nodiscard]] Result<Inspection> judge(Content& content);

/// The verdict on a disk, from its head alone where that suffices: of raw, qcow2 and ISO no more is read, so that
/// judging packed content of theirs does not unpack it twice.
///
/// Runs every recogniser: exactly one format may match, and raw means that none did. Only `accepted_formats` are
/// allowed. Faults: image-…, and those of reading the content.
[[nodiscard]] Result<Inspection> judge_disk(Content& content);

/// Formats that put their mark at the end only, which a raw image must not carry either; `tail` is the last
/// `tail_size` bytes, or all. Fault: image-format-unsupported.
[[nodiscard]] Result<> judge_tail(std::span<std::byte const> tail);

/// At least one byte, at most `max_virtual_size`. Fault: image-virtual-size.
[[nodiscard]] Result<> check_virtual_size(ByteCount size);

}  // namespace imageswarm::image
