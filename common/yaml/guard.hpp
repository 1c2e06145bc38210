#pragma once

#include <string_view>

#include "common/base/result.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::yaml {

/// What can be refused by looking at the bytes, before a parser sees them: size, encoding, control characters,
/// directives and document markers. Faults: too-large, yaml-encoding, yaml-directive, yaml-second-document.
[[nodiscard]] Result<> guard(std::string_view bytes, Limits const& limits);

}  // namespace imageswarm::yaml
