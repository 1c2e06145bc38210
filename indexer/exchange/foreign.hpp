#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/document/model.hpp"

namespace imageswarm::exchange {

/// A torrent file that names the pieces of an image's file.
struct TorrentPromise {
  std::string name;
  std::string url;
  Sha1 sha1;  ///< of the torrent file
};

/// One image of somebody else's list, in the words of our catalogue.
struct ForeignImage {
  Uuid family;
  std::string name;  ///< fits an image; several families may have the same one
  document::Version version;
  std::string url;   ///< of the file
  std::string file;  ///< its name below a directory that has the files already
  std::optional<ByteCount> size;
  std::optional<Sha256> sha256;
  std::optional<Sha512> sha512;
  std::optional<TorrentPromise> torrent;
  document::Compression packed = document::Compression::none;  ///< the file holds the image packed; none or gzip
  std::optional<ByteCount> unpacked_at_most;
  std::string disk_format;                                ///< Glance's word; empty = what is detected
  std::map<std::string, std::vector<std::string>> entry;  ///< further keys of the catalogue entry
};

/// A list that has been verified as far as its format allows.
struct ForeignList {
  std::string title;                ///< for people
  std::string id;                   ///< its identity over all versions
  std::string home;                 ///< where newer versions are; empty if that is not known
  std::string signer;               ///< who signed it; empty = nobody
  document::Version version;        ///< without text if the format has none
  document::Version index_version;  ///< of the index that named it; without text if there was none
  std::filesystem::path files;      ///< directory below which the images' files are; empty = they are fetched
  std::vector<ForeignImage> images;
  std::vector<std::string> skipped;   ///< why an image of it cannot be used, one line each
  std::vector<std::string> warnings;  ///< about the list as a whole
};

}  // namespace imageswarm::exchange
