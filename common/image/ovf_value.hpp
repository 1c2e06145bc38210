#pragma once

#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::image {

/// Is `value` one that a property of this type may have, and do its qualifiers allow it (DSP0243 §9.5.1)? Types and
/// qualifiers of other vocabularies say nothing that could be checked. `property` is for the message, which does not
/// show the value: it may be a password. Fault: image-ovf.
[[nodiscard]] Result<> check_value(std::string_view property, std::string_view type, std::string_view qualifiers,
                                   std::string_view value);

}  // namespace imageswarm::image
