#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/torrent/torrent.hpp"
#include "indexer/commands/context.hpp"
#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {

struct AddOptions {
  std::filesystem::path file;
  std::string from_glance;            ///< CLOUD:IMAGE, instead of a file
  std::filesystem::path clouds_file;  ///< of that cloud; empty = openstack::usual_clouds_file
  std::filesystem::path from_device;  ///< a block device, instead of a file
  std::string name;
  std::string family;       ///< UUID; empty = that of the name, or a new one
  std::string version;      ///< empty = UTC seconds
  std::string disk_format;  ///< empty = what is detected
  std::string compress;     ///< empty = none, and zstd for chunks
  std::string torrent = "v2";
  std::string piece_length;  ///< empty = that of the family's newest version, else fitting the size
  bool torrent_ssl = false;  ///< a private image, for the hosts of the store's swarm CA
  std::string layout = "file";
  std::string chunk_size;  ///< empty = fitting the size
  Edits edits;
  std::string origin;         ///< where it comes from, for the history; empty = the file's path
  std::string imported_from;  ///< store::Item::imported_from
};

/// Inspects the image, reads it once and puts entry, artefact and torrent into the store as *managed*.
/// Faults: usage, exists, image-…, disk faults, cancelled (SIGINT, SIGTERM), those of capturing it.
[[nodiscard]] Result<> add(AddOptions const& options, store::Store& store, Context& context);

/// The same for a file, and nothing is said about it.
[[nodiscard]] Result<store::Item> add_image(AddOptions const& options, store::Store& store, Context& context);

/// The name of the artefact: "debian-12-1700000000.qcow2.zst", made of what file names may have and ending in
/// `packing`, at most 120 bytes so that ".torrent" still fits.
std::string artefact_name(document::Image const& image, std::string_view packing);

}  // namespace imageswarm::commands
