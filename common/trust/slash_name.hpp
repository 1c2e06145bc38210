#pragma once

#include <string>
#include <string_view>

#include "common/trust/identity.hpp"

namespace imageswarm::trust {

/// The name as grid software writes it: "/DC=org/DC=example/CN=Ada". A slash in a value is not escaped, so this form is
/// compared and never read back.
std::string slash_text(DistinguishedName const& name);

/// Is `text` this name in slash form? Attribute types may be written with any synonym ("emailAddress", "Email"), in any
/// case; values count byte for byte.
bool is_slash_text_of(std::string_view text, DistinguishedName const& name);

}  // namespace imageswarm::trust
