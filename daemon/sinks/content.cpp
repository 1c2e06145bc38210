#include "daemon/sinks/content.hpp"

namespace imageswarm::sinks {

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
  auto inspection = image::unpack(artefact.fd(),
                                  {.compression = promised.torrent.compression,
                                   .content_size = promised.content_size,
                                   .disk_format = promised.disk_format,
                                   .container_format = promised.container_format},
                                  hash_and_pass, stop);
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
