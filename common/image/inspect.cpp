#include "common/image/inspect.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/base/child.hpp"
#include "common/base/text.hpp"
#include "common/image/inspector_process.hpp"
#include "common/image/protocol.hpp"

namespace imageswarm::image {
namespace {

InspectorJob job_for(document::Compression compression, ByteCount artefact, ByteCount content) {
  return {helper_program("imageswarm-inspector"), compression, artefact, content, time_budget(artefact, content)};
}

Result<> accept_any(Inspection const&) {
  return {};
}

auto as_promised(ContentPromise const& promise) {
  return [&promise](Inspection const& found) -> Result<> {
    if (found.disk_format == promise.disk_format && found.container_format == promise.container_format) return {};
    return fail(Fault::image_format_mismatch, "the image is {} ({}), not {} ({}) as promised", found.disk_format,
                found.container_format, printable(promise.disk_format), printable(promise.container_format));
  };
}

Result<> no_content(std::span<std::byte const>) {
  return {};
}

/// The content of an artefact that is not compressed, read here: its bytes only pass through, so the helper would add
/// two copies and no safety.
Result<> copy(UniqueFd const& from, ByteCount size, ContentSink const& sink, std::stop_token const& stop) {
  std::vector<std::byte> buffer(piece_size);
  for (std::uint64_t at = 0; at < size.value;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading the image was stopped");
    auto const wanted = std::min<std::uint64_t>(buffer.size(), size.value - at);
    auto const count = ::pread(from.get(), buffer.data(), wanted, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", "the image"));
    if (count == 0) return fail(Fault::image_truncated, "the file became shorter while it was read");
    auto taken = sink(std::span{buffer}.first(static_cast<std::size_t>(count)));
    if (!taken) return taken;
    at += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<> compare_sizes(ByteCount artefact, ByteCount promised) {
  if (artefact < promised) {
    return fail(Fault::image_truncated, "the image has {} bytes, {} were promised", artefact.value, promised.value);
  }
  if (artefact > promised) {
    return fail(Fault::image_trailing_data, "the image has {} bytes, {} were promised", artefact.value, promised.value);
  }
  return {};
}

}  // namespace

Result<Inspection> inspect(UniqueFd const& fd, std::stop_token const& stop) {
  auto const size = size_of(fd);
  if (!size) return fail(size.error());
  return run_inspector(job_for(document::Compression::none, *size, *size), fd, accept_any, no_content, stop);
}

Result<Inspection> unpack(UniqueFd const& artefact, ContentPromise const& promise, ContentSink const& sink,
                          std::stop_token const& stop) {
  auto const size = size_of(artefact);
  if (!size) return fail(size.error());
  bool const in_place = promise.compression == document::Compression::none;
  if (in_place) {
    if (auto const same = compare_sizes(*size, promise.content_size); !same) return fail(same.error());
  }
  auto found = run_inspector(job_for(promise.compression, *size, promise.content_size), artefact, as_promised(promise),
                             in_place ? no_content : sink, stop);
  if (!found || !in_place) return found;
  if (auto const copied = copy(artefact, promise.content_size, sink, stop); !copied) return fail(copied.error());
  return found;
}

Result<Inspection> unpack(ArtefactReader read, ByteCount size, ContentPromise const& promise, ContentSink const& sink,
                          std::stop_token const& stop) {
  auto const server = ArtefactServer::start(std::move(read), size);
  if (!server) return fail(server.error());
  auto found = run_inspector(job_for(promise.compression, size, promise.content_size), (*server)->descriptor(),
                             as_promised(promise), sink, stop);
  // What could not be read looks like a broken image to the helper.
  if (auto const served = (*server)->finish(); !served) return fail(served.error());
  return found;
}

}  // namespace imageswarm::image
