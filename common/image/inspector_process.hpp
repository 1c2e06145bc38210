#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/image/inspect.hpp"

namespace imageswarm::image {

/// One line of the helper, taken apart.
struct VerdictLine {
  std::optional<Inspection> image;  ///< "image …"
  std::optional<ByteCount> data;    ///< "data …"
  std::optional<Error> fault;       ///< "fault …"; none of them: "end"
};

/// Strict, as it comes from a process that has read hostile bytes: only formats that we accept, only words that an
/// inspector may use, text made printable. Fault: inspector-crash.
[[nodiscard]] Result<VerdictLine> parse_verdict(std::string_view line);

struct InspectorJob {
  std::filesystem::path program;  ///< the helper
  document::Compression compression = document::Compression::none;
  ByteCount artefact_size;
  ByteCount content_size;
  std::chrono::seconds patience;  ///< longest time spent waiting for the helper, all in all
  std::string order = {};         ///< write_order; empty: the content as it is, and not what is made of it
};

/// Starts the helper for one job and holds the conversation of protocol.hpp with it, believing nothing: a helper that
/// dies, talks nonsense, sends too much or too little, or takes too long is a refusal.
///
/// `accept` decides on the verdict before `sink` gets the first byte. Both run on the calling thread. Blocks.
/// Faults: image-…, bomb, inspector-crash, disk-error, internal (no sandbox), cancelled, those of `accept` and `sink`.
[[nodiscard]] Result<Inspection> run_inspector(InspectorJob const& job, UniqueFd const& artefact,
                                               std::function<Result<>(Inspection const&)> const& accept,
                                               ContentSink const& sink, std::stop_token const& stop);

/// The same for the disk of an image that is not packed: `accept` is told, too, how many bytes `sink` will get at most.
[[nodiscard]] Result<Inspection> run_disk_reader(InspectorJob const& job, UniqueFd const& image,
                                                 std::function<Result<>(Inspection const&, ByteCount)> const& accept,
                                                 DiskSink const& sink, std::stop_token const& stop);

}  // namespace imageswarm::image
