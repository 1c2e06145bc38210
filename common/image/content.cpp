#include "common/image/content.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/image/artefact_input.hpp"
#include "common/image/protocol.hpp"

namespace imageswarm::image {
namespace {

/// An appliance of several disks takes about three for each; a hostile one should not take hours.
constexpr int max_beginnings = 32;

}  // namespace

Result<> Content::read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset > size_.value || out.size() > size_.value - offset) {
    return fail(Fault::image_truncated, "the image ends at {}, before the {} bytes that should be at {}", size_.value,
                out.size(), offset);
  }
  return read_inside(offset, out);
}

Result<std::vector<std::byte>> read_part(Content& content, std::uint64_t offset, std::uint64_t size) {
  std::vector<std::byte> bytes(size);
  if (auto const done = content.read(offset, bytes); !done) return fail(done.error());
  return bytes;
}

Result<> read_through(Content& content, std::uint64_t offset, std::uint64_t size,
                      std::function<Result<>(std::span<std::byte const>)> const& take) {
  std::vector<std::byte> buffer(piece_size);
  for (std::uint64_t at = 0; at < size;) {
    auto const piece = std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), size - at));
    if (auto const got = content.read(offset + at, piece); !got) return got;
    if (auto const taken = take(piece); !taken) return taken;
    at += piece.size();
  }
  return {};
}

Result<> FileContent::read_inside(std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    auto const count = read_artefact(fd_, out, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Fault::disk_error, "reading the image: {}", std::strerror(errno));
    if (count == 0) return fail(Fault::image_truncated, "the file became shorter while it was read");
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> UnpackedContent::read_inside(std::uint64_t offset, std::span<std::byte> out) {
  if (!decoder_ || offset < position_) {
    if (auto const begun = begin(); !begun) return begun;
  }
  std::vector<std::byte> skipped(std::min<std::uint64_t>(piece_size, offset - position_));
  while (position_ < offset) {
    auto const count = std::min<std::uint64_t>(skipped.size(), offset - position_);
    if (auto const taken = take(std::span{skipped}.first(count)); !taken) return taken;
  }
  return take(out);
}

Result<> UnpackedContent::begin() {
  if (++beginnings_ > max_beginnings) {
    return fail(Fault::image_compression,
                "the content is laid out so that judging it means unpacking it more than {} "
                "times; publish it without compression",
                max_beginnings);
  }
  decoder_.reset();  // before the next one: two would not fit into the memory
  input_.emplace(fd_, artefact_);
  auto decoder = make_decoder(compression_, *input_);
  if (!decoder) return fail(decoder.error());
  decoder_ = std::move(*decoder);
  position_ = 0;
  return {};
}

Result<> UnpackedContent::take(std::span<std::byte> out) {
  auto const got = decoder_->read(out);
  if (!got) return fail(got.error());
  position_ += *got;
  if (*got < out.size()) {
    return fail(Fault::image_truncated, "the content ends {} bytes before the promised size", size().value - position_);
  }
  if (position_ < size().value) return {};
  std::byte more;
  auto const beyond = decoder_->read({&more, 1});
  if (!beyond) return fail(beyond.error());
  if (*beyond > 0) return fail(Fault::bomb, "the content goes on after the promised size");
  return {};
}

}  // namespace imageswarm::image
