#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {

/// What shall be made of an appliance: another appliance with other values of its properties and with more files, or
/// its disk alone. The names of properties are [class.]key[.instance] (ovf_rewrite.hpp).
struct OvaOrder {
  enum class Form : std::uint8_t { ova, disk };
  struct File {
    std::string name;  ///< in the archive: install/, config/ or reset/ and a plain name
    std::string content;
  };

  Form form = Form::ova;
  std::map<std::string, std::string> endorsed;  ///< values of the signed catalogue: they hold for every property
  std::map<std::string, std::string> site;      ///< values of this host; they win where the user may configure
  std::vector<File> files;
};

/// Most that the files of an order may have together; the helper keeps them in memory.
inline constexpr ByteCount max_order_files = 32_MiB;

/// As the helper gets it through a descriptor, since values may be secret; and back. Fault: internal.
std::string write_order(OvaOrder const& order);
[[nodiscard]] Result<OvaOrder> read_order(std::string_view text);

}  // namespace imageswarm::image
