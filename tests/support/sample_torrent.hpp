#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/torrent/torrent.hpp"

namespace imageswarm::test {

/// Bytes without a pattern, always the same ones for a seed.
inline std::string noise(std::size_t size, std::uint32_t seed = 4711) {
  std::string content(size, '\0');
  for (auto& c : content) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return content;
}

/// A torrent as an endorser would publish it; with `swarm_ca` (PEM) of a private image.
struct SampleTorrent {
  std::string bytes;
  document::Torrent promised;

  torrent::AdmittedTorrent admitted() const {
    auto admitted = torrent::admit(bytes, promised);
    if (!admitted) FAIL(admitted.error().line());
    return std::move(*admitted);
  }
};

inline SampleTorrent torrent_of(std::string_view content, ByteCount piece_length,
                                torrent::Flavour flavour = torrent::Flavour::v2, std::string name = "disk.img",
                                std::string const& swarm_ca = "") {
  torrent::Builder builder{piece_length, flavour};
  builder.update(std::as_bytes(std::span{content}));
  auto built = builder.finish(name, TimePoint{}, {}, swarm_ca);
  REQUIRE(built);
  SampleTorrent sample{std::move(built->bytes), {}};
  auto& promised = sample.promised;
  promised.file_size = {sample.bytes.size()};
  promised.file_sha256 = digest_of<Sha256>(sample.bytes);
  promised.info_hash_v2 = built->info_hash_v2;
  promised.info_hash_v1 = built->info_hash_v1;
  promised.ssl = !swarm_ca.empty();
  promised.piece_length = piece_length;
  promised.content_name = std::move(name);
  promised.content_size = {content.size()};
  return sample;
}

/// The same of an artefact in chunks, whose content is not looked at.
inline SampleTorrent torrent_of_chunks(std::vector<std::string> const& contents, std::string name = "disk.chunks") {
  SampleTorrent sample;
  auto& promised = sample.promised;
  std::vector<torrent::Chunk> chunks;
  for (auto const& content : contents) {
    chunks.push_back(torrent::chunk_of(std::as_bytes(std::span{content})));
    promised.content_size += chunks.back().size;
  }
  auto built = torrent::build(name, chunks, TimePoint{});
  REQUIRE(built);
  sample.bytes = std::move(built->bytes);
  promised.file_size = {sample.bytes.size()};
  promised.file_sha256 = digest_of<Sha256>(sample.bytes);
  promised.info_hash_v2 = built->info_hash_v2;
  promised.chunks = document::Chunks{64_KiB, static_cast<std::uint32_t>(chunks.size())};
  promised.piece_length = built->piece_length;
  promised.content_name = std::move(name);
  return sample;
}

}  // namespace imageswarm::test
