#pragma once

#include <string_view>

#include "common/base/result.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::exchange {

/// Reads somebody else's JSON into the value that YAML is read into. Numbers and truths become the text that they are
/// written as and null an empty one, so that a reader need not know whether a size came as number or as string.
/// Equal keys in one object and anything beyond the limits are refused. Faults: too-large, import-format.
[[nodiscard]] Result<yaml::Value> parse_json(std::string_view text, yaml::Limits const& limits = {.depth = 16});

}  // namespace imageswarm::exchange
