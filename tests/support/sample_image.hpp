#pragma once

#include <string>

#include "common/document/model.hpp"

namespace imageswarm::test {

/// A whole, valid catalogue entry; images of one `name` are one family, and `content` stands for the disk image.
inline document::Image sample_image(std::string const& name = "debian-12", std::string const& version = "1",
                                    std::string const& content = "content") {
  document::Image image;
  auto const time = *parse_time("2026-01-02T03:04:05Z");
  image.uuid = Uuid::named(Uuid{}, name);
  image.name = name;
  image.version = {version};
  image.content_size = {content.size()};
  image.content_sha256 = digest_of<Sha256>(content);
  image.content_sha512 = digest_of<Sha512>(content);
  image.image_id = document::image_id_of(image.uuid, image.content_sha256);
  image.os_distro = "debian";
  image.os_version = "12";
  image.architecture = "x86_64";
  image.hypervisor = "kvm";
  image.produced = time;
  image.endorsed = time;
  image.disk_format = "qcow2";
  image.torrent = {.name = image.image_id.text() + ".torrent",
                   .file_sha256 = digest_of<Sha256>("torrent of " + content),
                   .file_size = {321},
                   .info_hash_v2 = digest_of<Sha256>("info of " + content),
                   .info_hash_v1 = {},
                   .created = time,
                   .download_url = "torrents/" + image.image_id.text() + ".torrent",
                   .chunks = {},
                   .piece_length = 1_MiB,
                   .content_name = image.image_id.text() + ".qcow2",
                   .content_size = image.content_size,
                   .content_sha256 = image.content_sha256};
  return image;
}

}  // namespace imageswarm::test
