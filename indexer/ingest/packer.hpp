#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/torrent/torrent.hpp"

namespace imageswarm::ingest {

/// How an image becomes an artefact.
struct Recipe {
  document::Compression compression = document::Compression::none;
  torrent::Flavour flavour = torrent::Flavour::v2;
  ByteCount piece_length;               ///< of layout `file`
  std::optional<ByteCount> chunk_size;  ///< layout `chunks`
};

struct Packed {
  ByteCount size;
  Sha256 sha256;
};

/// Makes an artefact of content that passes by, under a temporary name until it is moved into place.
class Packer {
public:
  virtual ~Packer() = default;

  /// Takes the next bytes. Both may be called from another thread than the rest, one after the other.
  [[nodiscard]] virtual Result<> update(std::span<std::byte const> content) = 0;
  /// After the last bytes: the artefact is whole.
  [[nodiscard]] virtual Result<Packed> finish() = 0;

  /// The torrent of the finished artefact; `swarm_ca` is empty for a public one. Fault: torrent-size.
  [[nodiscard]] virtual Result<torrent::Builder::Built> make_torrent(std::string_view name, TimePoint created,
                                                                     torrent::Builder::Sources const& sources,
                                                                     std::string_view swarm_ca) = 0;
  [[nodiscard]] virtual Result<> move_to(std::filesystem::path const& name) = 0;
};

/// One file in `directory`; its digest and its pieces are computed on threads of their own.
[[nodiscard]] Result<std::unique_ptr<Packer>> pack_file(Recipe const& recipe, std::filesystem::path const& directory);

/// A directory of chunks, packed on all cores. A chunk that is equal to an earlier one, or to the same one of the
/// `previous` version's directory (empty = none), is a hard link to it.
[[nodiscard]] Result<std::unique_ptr<Packer>> pack_chunks(ByteCount chunk_size, std::filesystem::path const& directory,
                                                          std::filesystem::path const& previous);

}  // namespace imageswarm::ingest
