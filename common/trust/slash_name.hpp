#pragma once

#include <string>
#include <string_view>

#include "common/trust/identity.hpp"

namespace imageswarm::trust {

/// The name as grid software writes it: "/DC=org/DC=example/CN=Ada". A slash inside of a value is written as
/// `inner_slash`; as it is not escaped otherwise, this form is compared and never read back.
std::string slash_text(DistinguishedName const& name, char inner_slash = '/');

/// A slash form, or a pattern for some, with its attribute types as `slash_text` writes them: "/Email=" becomes
/// "/emailAddress=". What is no type that is known stays.
std::string with_usual_types(std::string_view text);

/// Is `text` this name in slash form? Attribute types may be written with any synonym ("emailAddress", "Email"), in any
/// case; values count byte for byte.
bool is_slash_text_of(std::string_view text, DistinguishedName const& name);

}  // namespace imageswarm::trust
