#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"

namespace imageswarm::torrent {

/// Largest torrent file we write and read: a million pieces, so 16 GiB at the shortest and 16 TiB at the longest.
inline constexpr ByteCount max_torrent_size = 32_MiB;
inline constexpr ByteCount min_piece_length = 16_KiB;
inline constexpr ByteCount max_piece_length = 16_MiB;

enum class Flavour : std::uint8_t { v2, hybrid };

/// A piece length that gives between 1000 and 2000 pieces, within the limits.
ByteCount piece_length_for(ByteCount artefact);

/// Computes the piece hashes of an artefact while its bytes pass by, so that it is read only once.
///
/// Give all bytes in order, then `finish`. Not thread-safe; run it on a thread of its own beside other digests.
class Builder {
public:
  Builder(ByteCount piece_length, Flavour flavour);
  Builder(Builder&&) noexcept;
  Builder& operator=(Builder&&) noexcept;
  ~Builder();

  void update(std::span<std::byte const> data);

  struct Built {
    std::string bytes;  ///< the torrent file, bencoded
    Sha256 info_hash_v2;
    std::optional<Sha1> info_hash_v1;
    ByteCount piece_length;
  };
  /// Where ordinary clients find peers; our daemons take the catalogue's word alone.
  struct Sources {
    std::vector<std::string> trackers, web_seeds;
  };
  /// `name` is the artefact's file name; `swarm_ca` the PEM of the CA whose certificates open the swarm of a private
  /// image. Fault: torrent-size for an empty artefact, and for one that has more pieces than a torrent file may hold.
  [[nodiscard]] Result<Built> finish(std::string_view name, TimePoint created, Sources const& sources = {},
                                     std::string_view swarm_ca = {});

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A file of the layout `chunks`, packed.
struct Chunk {
  ByteCount size;
  Sha256 root;
};
Chunk chunk_of(std::span<std::byte const> packed);

/// The v2 torrent of all chunks of an artefact, in their order, in a directory called `name`. The pieces are as long as
/// the longest chunk needs, so that each is one piece.
[[nodiscard]] Result<Builder::Built> build(std::string_view name, std::vector<Chunk> const& chunks, TimePoint created,
                                           Builder::Sources const& sources = {}, std::string_view swarm_ca = {});

/// A torrent file that has passed the gate: only `admit` makes one.
class AdmittedTorrent {
public:
  std::string const& bytes() const { return *bytes_; }
  std::shared_ptr<std::string const> const& shared_bytes() const { return bytes_; }

private:
  friend Result<AdmittedTorrent> admit(std::string bytes, document::Torrent const& promised);
  explicit AdmittedTorrent(std::string bytes) : bytes_{std::make_shared<std::string const>(std::move(bytes))} {}
  std::shared_ptr<std::string const> bytes_;  ///< shared: the swarm holds and gives out the same
};

/// The torrent gate (docs/security.md, "Torrents"; BEP 3, BEP 52): size and SHA-256 as signed before anything is
/// parsed, then exactly one file with the promised name, size and piece length, or exactly the promised chunks, each of
/// one piece, in a directory of that name; no symlinks, executables or hidden files, piece layers that add up to the
/// root, info-hashes as promised, the CA of a private swarm where and only where it was promised, canonical bencoding
/// without duplicate keys or trailing bytes. Faults: hash-mismatch, torrent-….
[[nodiscard]] Result<AdmittedTorrent> admit(std::string bytes, document::Torrent const& promised);

/// The same torrent with nothing but `info` and `piece layers`: no trackers, web seeds, DHT nodes or similar torrents,
/// which only the catalogue and the configuration may name.
std::string bare(AdmittedTorrent const& torrent);

}  // namespace imageswarm::torrent
