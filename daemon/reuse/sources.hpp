#pragma once

#include <filesystem>
#include <vector>

#include "common/document/model.hpp"
#include "daemon/reuse/index.hpp"

namespace imageswarm::reuse {

/// An artefact that is, or was, whole and verified on this host, and its torrent file.
struct Known {
  document::Torrent promised;
  std::filesystem::path torrent, directory;
};

/// The files of those whose torrent file is still as signed. Reads the torrent files, not the artefacts. Pieces of
/// another length have other hashes, so they are simply not found; files of one piece are, whatever that length is.
std::vector<Source> sources_among(std::vector<Known> const& known);

}  // namespace imageswarm::reuse
