#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {

/// References/File: what lies beside the OVF.
struct OvfFile {
  std::string id, href;
  std::optional<ByteCount> size;
};

/// DiskSection/Disk.
struct OvfDisk {
  std::string id;
  std::string file;    ///< id of an OvfFile; empty: the disk begins without content
  std::string format;  ///< a URI
  ByteCount capacity;
};

/// ProductSection: what its properties belong to.
struct OvfProduct {
  std::string class_name, instance;
  std::string product, vendor, version;
};

/// ProductSection/Property. Its full name is [class.]key[.instance].
struct OvfProperty {
  std::string class_name, key, instance, type, value;
  bool user_configurable = false, password = false;
};

struct Ovf {
  std::vector<OvfFile> files;
  std::vector<OvfDisk> disks;
  std::vector<OvfProduct> products;
  std::vector<OvfProperty> properties;
};

/// Largest OVF that is read.
inline constexpr ByteCount max_ovf_size = 1_MiB;

/// Reads the description of an appliance (DMTF DSP0243, versions 1 and 2): UTF-8, no DTD and so no entities; names by
/// their namespace, whatever the prefix; no attribute twice. Sections that are not named above are not read.
/// Faults: image-ovf, image-backing-file (a disk with a parent).
[[nodiscard]] Result<Ovf> read_ovf(std::string_view xml);

}  // namespace imageswarm::image
