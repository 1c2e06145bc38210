#pragma once

#include <stop_token>

#include "common/base/result.hpp"
#include "common/image/inspect.hpp"
#include "daemon/flow/artefact.hpp"

namespace imageswarm::sinks {

/// Says that the content of an artefact is what was signed and safe, and so is the whole artefact: only the functions
/// below make one, and sinks show nothing without one.
class VerifiedContent {
public:
  image::Inspection const& inspection() const { return inspection_; }

private:
  friend Result<VerifiedContent> unpack_verified(flow::Artefact const& artefact, image::ContentSink const& sink,
                                                 std::stop_token const& stop);
  friend Result<VerifiedContent> verify_content(UniqueFd const& content, flow::VerifiedArtefact const& artefact,
                                                std::stop_token const& stop);
  VerifiedContent(image::Inspection inspection, flow::VerifiedArtefact const&) : inspection_{std::move(inspection)} {}
  image::Inspection inspection_;
};

/// Streams the content of an artefact into `sink`, as it arrives, and compares both of its digests and that of the
/// whole artefact with the signed ones at the end, so what `sink` took counts for nothing until this has returned
/// without an error. Blocks; thread-safe. Faults: those of image::unpack, of `sink` and of the artefact,
/// hash-mismatch.
[[nodiscard]] Result<VerifiedContent> unpack_verified(flow::Artefact const& artefact, image::ContentSink const& sink,
                                                      std::stop_token const& stop);

/// Compares the content of an artefact where it lies unpacked in a file, in the same way.
[[nodiscard]] Result<VerifiedContent> verify_content(UniqueFd const& content, flow::VerifiedArtefact const& artefact,
                                                     std::stop_token const& stop);

/// A sink for those who only want to know whether the content is right.
[[nodiscard]] Result<> no_content(std::span<std::byte const> data);

}  // namespace imageswarm::sinks
