#include "common/torrent/bencode.hpp"
#include "common/torrent/torrent.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// Signed as it is, so that everything behind the comparison of digests is reached.
void fuzz::try_out(std::string_view input) {
  document::Torrent promised;
  promised.file_size = {input.size()};
  promised.file_sha256 = digest_of<Sha256>(input);
  promised.piece_length = 64_KiB;
  promised.content_name = "disk.img";
  promised.content_size = {200'000};
  if (auto const decoded = torrent::decode(input)) {
    auto const* info = decoded->find("info");
    auto const* name = info ? info->text("name") : nullptr;
    if (name && *name == "disk.chunks") {
      promised.chunks = document::Chunks{64_KiB, 3};
      promised.content_name = *name;
      promised.content_size = {3000};
    }
    if (info) promised.info_hash_v2 = digest_of<Sha256>(info->raw);
    promised.ssl = info && info->find("ssl-cert");
    if (info && info->find("pieces")) promised.info_hash_v1 = digest_of<Sha1>(info->raw);
  }
  auto const admitted = torrent::admit(std::string{input}, promised);
  demand(!admitted || torrent::decode(torrent::bare(*admitted)));
}

}  // namespace imageswarm
