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

/// Of an artefact that is still arriving.
constexpr std::chrono::minutes longest_read{10};

InspectorJob job_for(document::Compression compression, ByteCount artefact, ByteCount content) {
  return {.program = helper_program("imageswarm-inspector"),
          .compression = compression,
          .artefact_size = artefact,
          .content_size = content,
          .patience = time_budget(artefact, content)};
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

Result<> read_whole(UniqueFd const& from, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    auto const count = ::pread(from.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", "the image"));
    if (count == 0) return fail(Fault::image_truncated, "the file became shorter while it was read");
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

/// The content of an artefact that is not compressed, read here: its bytes only pass through, so the helper would add
/// two copies and no safety.
Result<> copy(ArtefactReader const& read, ByteCount size, ContentSink const& sink, std::stop_token const& stop) {
  std::vector<std::byte> buffer(piece_size);
  for (std::uint64_t at = 0; at < size.value;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading the image was stopped");
    auto const piece = std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), size.value - at));
    if (auto got = read(at, piece, stop); !got) return got;
    if (auto taken = sink(piece); !taken) return taken;
    at += piece.size();
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

/// `given` is the helper's descriptor for what `read` reads.
Result<Inspection> unpack(UniqueFd const& given, ArtefactReader const& read, InspectorJob const& job,
                          ContentPromise const& promise, ContentSink const& sink, std::stop_token const& stop) {
  if (promise.compression != document::Compression::none) {
    return run_inspector(job, given, as_promised(promise), sink, stop);
  }
  if (auto const same = compare_sizes(job.artefact_size, promise.content_size); !same) return fail(same.error());
  auto const accept_and_copy = [&](Inspection const& found) {
    return as_promised(promise)(found).and_then([&] { return copy(read, job.artefact_size, sink, stop); });
  };
  return run_inspector(job, given, accept_and_copy, no_content, stop);
}

/// Only of an appliance.
Result<Inspection> derive(UniqueFd const& given, InspectorJob job, ContentPromise promise, OvaOrder const& order,
                          ContentSink const& sink, std::stop_token const& stop) {
  if (promise.container_format != "ova")
    return fail(Fault::image_format_mismatch, "only an appliance (OVA) can be given other values; this is {}",
                printable(promise.disk_format));
  if (order.form == OvaOrder::Form::disk) promise.container_format = "bare";
  job.order = write_order(order);
  return run_inspector(job, given, as_promised(promise), sink, stop);
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
  auto const read = [&artefact](std::uint64_t offset, std::span<std::byte> out, std::stop_token const&) {
    return read_whole(artefact, offset, out);
  };
  return unpack(artefact, read, job_for(promise.compression, *size, promise.content_size), promise, sink, stop);
}

Result<Inspection> unpack(ArtefactReader const& read, ByteCount size, ContentPromise const& promise,
                          ContentSink const& sink, std::stop_token const& stop) {
  auto const server = ArtefactServer::start(read, size);
  if (!server) return fail(server.error());
  auto job = job_for(promise.compression, size, promise.content_size);
  job.patience += longest_read;
  auto found = unpack((*server)->descriptor(), read, job, promise, sink, stop);
  // What could not be read looks like a broken image to the helper.
  if (auto const served = (*server)->finish(); !served) return fail(served.error());
  return found;
}

Result<Inspection> derive(UniqueFd const& artefact, ContentPromise const& promise, OvaOrder const& order,
                          ContentSink const& sink, std::stop_token const& stop) {
  auto const size = size_of(artefact);
  if (!size) return fail(size.error());
  return derive(artefact, job_for(promise.compression, *size, promise.content_size), promise, order, sink, stop);
}

Result<Inspection> derive(ArtefactReader const& read, ByteCount size, ContentPromise const& promise,
                          OvaOrder const& order, ContentSink const& sink, std::stop_token const& stop) {
  auto const server = ArtefactServer::start(read, size);
  if (!server) return fail(server.error());
  auto made = derive((*server)->descriptor(), job_for(promise.compression, size, promise.content_size), promise, order,
                     sink, stop);
  if (auto const served = (*server)->finish(); !served) return fail(served.error());
  return made;
}

Result<Inspection> read_disk(UniqueFd const& content, ContentPromise const& promise,
                             std::function<Result<>(ByteCount)> const& room, DiskSink const& sink,
                             std::stop_token const& stop) {
  auto const size = size_of(content);
  if (!size) return fail(size.error());
  auto const is_promised = as_promised(promise);
  auto const accept = [&](Inspection const& found, ByteCount data) {
    return is_promised(found).and_then([&] { return room(data); });
  };
  return run_disk_reader(job_for(document::Compression::none, *size, *size), content, accept, sink, stop);
}

}  // namespace imageswarm::image
