#pragma once

#include <filesystem>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::ingest {

/// A block device that nobody changes while we read it: it is not mounted or part of anything, and nobody may mount it
/// as long as it is open; no process that we can see has it open for writing.
struct BlockDevice {
  UniqueFd fd;
  ByteCount size;
};

/// Faults: usage (a file or something else), disk-error (in use, or empty), not-found, permission.
[[nodiscard]] Result<BlockDevice> open_unused(std::filesystem::path const& path);

}  // namespace imageswarm::ingest
