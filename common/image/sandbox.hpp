#pragma once

#include <chrono>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {

/// What a confined process may use up.
struct Limits {
  ByteCount memory;  ///< address space
  std::chrono::seconds cpu;
};

/// Gives up, for the rest of this process's life, everything but: pread from `artefact_descriptor` (where that is a
/// socket, read and write), write to `content_descriptor` and `verdict_descriptor`, and memory that is neither
/// executable nor backed by a file. Any other system call kills the process with SIGSYS. Needs no privilege; call it
/// before there is a second thread. Fault: internal.
[[nodiscard]] Result<> enter_sandbox(Limits const& limits);

}  // namespace imageswarm::image
