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

}  // namespace

Result<VerifiedContent> unpack_verified(flow::Artefact const& artefact, image::ContentSink const& sink,
                                        std::stop_token const& stop) {
  auto const& promised = artefact.image();
  Hasher<Sha256> sha256;
  Hasher<Sha512> sha512;
  auto const hash_and_pass = [&](std::span<std::byte const> data) -> Result<> {
    sha256.update(data);
    sha512.update(data);
    return sink(data);
  };
  image::ContentPromise const promise{.compression = promised.torrent.compression,
                                      .content_size = promised.content_size,
                                      .disk_format = promised.disk_format,
                                      .container_format = promised.container_format};
  auto inspection = unpack(artefact, promise, hash_and_pass, stop);
  if (!inspection) return fail(inspection.error());
  if (auto const digest = sha256.finish(); digest != promised.content_sha256) {
    return fail(Fault::hash_mismatch, "the content's SHA-256 is {}, signed was {}", digest.hex(),
                promised.content_sha256.hex());
  }
  if (auto const digest = sha512.finish(); digest != promised.content_sha512) {
    return fail(Fault::hash_mismatch, "the content's SHA-512 is {}, signed was {}", digest.hex(),
                promised.content_sha512.hex());
  }
  auto const whole = artefact.verified();
  if (!whole) return fail(whole.error());
  return VerifiedContent{std::move(*inspection), *whole};
}

}  // namespace imageswarm::sinks
