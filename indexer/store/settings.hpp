#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace imageswarm::store {

/// What holds for the whole catalogue; the file `store.yaml`.
struct Settings {
  std::string name;  ///< of the catalogue
  std::string endorser_name;
  std::string contact;
  std::vector<std::string> trackers;
  std::vector<std::string> web_seeds;
  std::uint64_t epoch = 1;
  std::uint64_t serial = 0;  ///< last one that was used, whether or not its publication came to its end
};

/// Can a catalogue with these settings be read back? Fault: usage.
[[nodiscard]] Result<> check(Settings const& settings);

std::string write(Settings const& settings);
/// Faults: config-….
[[nodiscard]] Result<Settings> parse_settings(std::string_view text);

}  // namespace imageswarm::store
