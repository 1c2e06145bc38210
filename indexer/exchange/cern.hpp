#pragma once

#include <string_view>

#include "common/base/result.hpp"
#include "indexer/exchange/foreign.hpp"

namespace imageswarm::exchange {

/// CERN's torrent index of 2010. What its `x509-signature` covers was never published, so nothing here is verified:
/// whoever imports vouches for it. An entry that lacks what is needed is skipped.
/// Faults: import-format (no torrent-id_…), too-large, yaml-….
[[nodiscard]] Result<ForeignList> parse_cern(std::string_view yaml);

}  // namespace imageswarm::exchange
