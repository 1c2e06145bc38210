#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>

#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "daemon/flow/artefact.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/draft.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {

/// The disk of an image as a guest sees it, byte by byte.
struct RawForm {
  Sha256 sha256;
  Sha512 sha512;
  ByteCount size;
};

struct RawFile {
  Draft draft;
  VerifiedContent content;  ///< of the image that it was made of
  RawForm form;
};

/// Is the content its own raw form?
bool is_raw(document::Image const& image);

/// As far as it is known without making it: `known` is the last receipt of a sink that has raw forms, or null.
std::optional<RawForm> known_raw_form(document::Image const& image, flow::Receipt const* known);

/// Makes it in a draft of `final_path`, of content whose digests were compared: as the artefact arrives, but for a
/// qcow2 that is not packed, which is read when it is whole. Where the artefact is the raw form and the file system can
/// share blocks, the draft gets those of the whole artefact. Blocks; gives up within a second of `stop`. Faults:
/// image-format-unsupported (not raw, ISO or qcow2), disk-full, and those of unpack_verified, image::read_disk and
/// Draft.
[[nodiscard]] Result<RawFile> make_raw(flow::Artefact const& artefact, std::filesystem::path const& final_path,
                                       Sink::Progress const& progress, std::stop_token const& stop);

}  // namespace imageswarm::sinks
