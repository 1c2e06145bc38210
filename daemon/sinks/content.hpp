#pragma once

#include <stop_token>

#include "common/base/result.hpp"
#include "common/image/inspect.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::sinks {

/// Streams the content of an artefact into `sink` and compares both of its digests with the signed ones at the end, so
/// what `sink` took counts for nothing until this has returned without an error. Blocks; thread-safe.
/// Faults: those of image::unpack and of `sink`, hash-mismatch.
[[nodiscard]] Result<image::Inspection> unpack_verified(flow::VerifiedArtefact const& artefact,
                                                        image::ContentSink const& sink, std::stop_token const& stop);

}  // namespace imageswarm::sinks
