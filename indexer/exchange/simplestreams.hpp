#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "indexer/exchange/foreign.hpp"

namespace imageswarm::exchange {

/// Which images of a simplestreams mirror are wanted; empty = any.
struct StreamFilter {
  std::string product = {};       ///< its name, with * and ?
  std::string architecture = {};  ///< in Debian's words or Glance's
  std::string release = {};
  std::size_t newest = 1;  ///< versions of a product
};

/// A products file that an index names.
struct StreamContent {
  std::string id;
  std::string path;  ///< relative to the mirror's root
};

struct StreamIndex {
  document::Version version;            ///< when it was updated
  std::vector<StreamContent> contents;  ///< those with images to download
};

/// Is this text an `index:1.0`? Then what it names. Faults: import-format (neither an index nor products), import-field
/// (also a path that leaves the mirror), too-large.
[[nodiscard]] Result<StreamIndex> parse_stream_index(std::string_view json);
bool is_stream_index(std::string_view json);

/// The disk images of a `products:1.0`: attributes are inherited from file to product to version to item; of a version
/// the first of disk1.img, disk.img, disk-kvm.img and any other .img or .qcow2 is taken. `root` is the mirror's, a URL
/// or a directory. Faults: import-format, import-field, too-large.
[[nodiscard]] Result<ForeignList> parse_products(std::string_view json, std::string const& root,
                                                 StreamFilter const& filter);

}  // namespace imageswarm::exchange
