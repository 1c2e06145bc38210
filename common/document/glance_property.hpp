#pragma once

#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::document {

/// What Glance or we ourselves set on an image is not the endorser's to wish for: names that carry trust or ownership,
/// and Glance's own attributes, which have keys of their own in an entry or are the site's.
/// Fault: doc-field.
[[nodiscard]] Result<> check_glance_property(std::string_view name);

}  // namespace imageswarm::document
