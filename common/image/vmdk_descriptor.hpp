#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::image {

/// What the text inside a VMDK says of its one extent.
struct VmdkDescriptor {
  std::string create_type;    ///< monolithicSparse or streamOptimized
  std::uint64_t sectors = 0;  ///< of 512 bytes
};

/// Reads the descriptor that is embedded in a sparse VMDK: `area` is all of the sectors it may fill, and what it leaves
/// is zeros. Every line is understood, or the whole is refused, because other readers search this text for names of
/// files to open (qemu's block/vmdk.c: anywhere, in comments too). Faults: image-backing-file, image-extent,
/// image-descriptor.
[[nodiscard]] Result<VmdkDescriptor> read_vmdk_descriptor(std::string_view area);

}  // namespace imageswarm::image
