#include "daemon/sinks/content.hpp"

#include <memory>

namespace imageswarm::sinks {
namespace {

image::ArtefactReader reader_of(flow::ChunkFiles const& chunks) {
  auto const reader = std::make_shared<flow::ChunkFiles::Reader>(chunks);
  return [reader](std::uint64_t offset, std::span<std::byte> out, std::stop_token const&) {
    return reader->read(offset, out);
  };
}

Result<image::Inspection> unpack(flow::Artefact const& artefact, image::ContentPromise const& promise,
                                 image::ContentSink const& sink, std::stop_token const& stop) {
  auto const* const whole = artefact.whole();
  if (whole && !whole->chunks()) return image::unpack(whole->fd(), promise, sink, stop);
  if (whole) return image::unpack(reader_of(*whole->chunks()), whole->chunks()->size(), promise, sink, stop);
  auto const read = [&artefact](std::uint64_t offset, std::span<std::byte> out, std::stop_token const& until) {
    return artefact.read(offset, out, until);
  };
  return image::unpack(read, artefact.image().torrent.content_size, promise, sink, stop);
}

image::ContentPromise promise_of(document::Image const& image, document::Compression compression) {
  return {.compression = compression,
          .content_size = image.content_size,
          .disk_format = image.disk_format,
          .container_format = image.container_format};
}

/// Passes on to `sink` what `unpack` gives, and compares the digests of it.
template <class Unpack>
Result<image::Inspection> compare(document::Image const& promised, image::ContentSink const& sink,
                                  Unpack const& unpack) {
  Hasher<Sha256> sha256;
  Hasher<Sha512> sha512;
  auto inspection = unpack([&](std::span<std::byte const> data) -> Result<> {
    sha256.update(data);
    sha512.update(data);
    return sink(data);
  });
  if (!inspection) return inspection;
  if (auto const digest = sha256.finish(); digest != promised.content_sha256) {
    return fail(Fault::hash_mismatch, "the content's SHA-256 is {}, signed was {}", digest.hex(),
                promised.content_sha256.hex());
  }
  if (auto const digest = sha512.finish(); digest != promised.content_sha512) {
    return fail(Fault::hash_mismatch, "the content's SHA-512 is {}, signed was {}", digest.hex(),
                promised.content_sha512.hex());
  }
  return inspection;
}

}  // namespace

Result<> no_content(std::span<std::byte const>) {
  return {};
}

Result<VerifiedContent> unpack_verified(flow::Artefact const& artefact, image::ContentSink const& sink,
                                        std::stop_token const& stop) {
  auto const promise = promise_of(artefact.image(), artefact.image().torrent.compression);
  auto inspection = compare(artefact.image(), sink,
                            [&](image::ContentSink const& pass) { return unpack(artefact, promise, pass, stop); });
  if (!inspection) return fail(inspection.error());
  auto const whole = artefact.verified();
  if (!whole) return fail(whole.error());
  return VerifiedContent{std::move(*inspection), *whole};
}

Result<VerifiedContent> verify_content(UniqueFd const& content, flow::VerifiedArtefact const& artefact,
                                       std::stop_token const& stop) {
  auto inspection = compare(artefact.image(), no_content, [&](image::ContentSink const& pass) {
    return image::unpack(content, promise_of(artefact.image(), document::Compression::none), pass, stop);
  });
  if (!inspection) return fail(inspection.error());
  return VerifiedContent{std::move(*inspection), artefact};
}

}  // namespace imageswarm::sinks
