#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/torrent/torrent.hpp"
#include "daemon/exchange/neighbours.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::coordinator {

/// Where the files of one image lie in the store (docs/operations.md, "The store").
struct StorePaths {
  std::filesystem::path torrent;    ///< torrents/IMAGE-ID.torrent
  std::filesystem::path directory;  ///< images/IMAGE-ID, which holds the artefact
  std::filesystem::path artefact;
  std::filesystem::path resume;  ///< resume/IMAGE-ID.resume
};
StorePaths paths_of(std::filesystem::path const& store, document::Image const& image);

/// An image that is ready for the swarm.
struct Located {
  torrent::AdmittedTorrent torrent;
  std::filesystem::path directory;                    ///< where the artefact lies or shall lie
  bool in_place = false;                              ///< it lies whole in a directory of others
  ByteCount zeros;                                    ///< in pieces of nothing else, which take no room
  ByteCount lacking = {};                             ///< room in the file system of the store; 0: there is enough
  std::optional<std::vector<bool>> pieces_here = {};  ///< once this host was searched for them, until it joins
};

/// Gets the torrent file (from the store, else from its URL, else from a neighbour) through the gate, and looks for the
/// artefact in the `seed_from` directories by name, size and whole digest. Blocks. Faults: http-…, torrent-…,
/// hash-mismatch, disk-….
[[nodiscard]] Result<Located> locate(flow::Want const& want, std::filesystem::path const& store,
                                     std::vector<std::filesystem::path> const& seed_from,
                                     exchange::Neighbours& neighbours, std::stop_token const& stop);

/// How much more room the file system needs for what is still missing of the artefact, `zeros` aside, with some to
/// spare for others; 0: there is enough. Faults: disk-….
[[nodiscard]] Result<ByteCount> lacking_room(flow::Want const& want, ByteCount zeros,
                                             std::filesystem::path const& store);

/// What lies in the store and belongs to an image that is not among `known` (image IDs as text).
std::vector<std::filesystem::path> files_of_strangers(std::filesystem::path const& store,
                                                      std::set<std::string> const& known);

}  // namespace imageswarm::coordinator
