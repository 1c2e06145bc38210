#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/image/content.hpp"

namespace imageswarm::image {

/// Judges a VMDK that begins with "KDMV" (monolithicSparse or streamOptimized) and says how large its disk is. It
/// stands alone, and none of its tables points outside the file or at what describes it (VMware Virtual Disk
/// Format 5.0; qemu's block/vmdk.c; docs/security.md, "Which images"). `head` is the beginning of `content`:
/// `head_size`, or all. Faults: image-…, and those of reading the content.
[[nodiscard]] Result<ByteCount> check_vmdk(std::span<std::byte const> head, Content& content);

}  // namespace imageswarm::image
