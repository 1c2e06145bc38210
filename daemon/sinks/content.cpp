#include "daemon/sinks/content.hpp"

#include <memory>

namespace imageswarm::sinks {
namespace {

image::ArtefactReader reader_of(flow::ChunkFiles const& chunks) {
  auto const reader = std::make_shared<flow::ChunkFiles::Reader>(chunks);
  return [reader](std::uint64_t offset, std::span<std::byte> out) { return reader->read(offset, out); };
}

}  // namespace

Result<image::Inspection> unpack_verified(flow::VerifiedArtefact const& artefact, image::ContentSink const& sink,
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
  auto inspection = artefact.chunks() ? image::unpack(reader_of(*artefact.chunks()), artefact.chunks()->size(), promise,
                                                      hash_and_pass, stop)
                                      : image::unpack(artefact.fd(), promise, hash_and_pass, stop);
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

}  // namespace imageswarm::sinks
