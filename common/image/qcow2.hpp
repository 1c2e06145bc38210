#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {

/// Does it begin like a qcow2? (Version 1 has the same magic number and is another format, qcow.)
bool is_qcow2(std::string_view head);

/// Judges the header of a qcow2 (version 2 or 3) and says how large its disk is. Nothing may point outside the image,
/// and nothing in it may be beyond what is understood here (qemu's docs/interop/qcow2.txt; docs/security.md, "Images
/// and the sandbox"). `head` must reach to the end of the first cluster or of the file of `total` bytes.
/// Faults: image-….
[[nodiscard]] Result<ByteCount> check_qcow2(std::span<std::byte const> head, ByteCount total);

}  // namespace imageswarm::image
