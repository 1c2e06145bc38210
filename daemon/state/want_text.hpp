#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::state {

/// A Want as YAML, with the catalogue entry in its own words: how it stands in the state file.
std::string write(flow::Want const& want);
/// Faults: yaml-…, doc-field.
[[nodiscard]] Result<flow::Want> read_want(std::string_view text);

}  // namespace imageswarm::state
