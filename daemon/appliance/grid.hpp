#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/image/ova_order.hpp"

namespace imageswarm::appliance {

/// A part of a grid: the appliance that it is made of, and what becomes of that.
struct Component {
  std::string name;
  std::string image;  ///< as imageswarmctl knows one: an ID, NAME, NAME@VERSION or a family's UUID
  image::OvaOrder::Form form{};
  std::map<std::string, std::string> values;  ///< of properties; may be secret
  std::vector<std::string> needs;             ///< components
  std::vector<std::string> sinks;             ///< names; empty = all of this host
  std::filesystem::path directory;
};

struct Grid {
  std::string name;
  std::vector<Component> components;  ///< each behind those that it needs
};

/// Reads GRIDS/NAME of the host's configuration (docs/appliances.md): nothing unknown is in it, and no link leads out
/// of it. Faults: config-…, not-found (no such grid), permission.
[[nodiscard]] Result<Grid> read_grid(std::filesystem::path const& grids, std::string const& name);

/// What lies in `install`, `config` and `reset` of a component, by name. Faults: config-value (something else than
/// plain files with content, or too many of them), too-large, disk faults.
[[nodiscard]] Result<std::vector<image::OvaOrder::File>> files_of(Component const& component);

}  // namespace imageswarm::appliance
