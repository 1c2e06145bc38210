#pragma once

#include <cstddef>
#include <string_view>

namespace imageswarm {

/// Bytes of the well-formed character at the front of `text`, 0 if there is none (RFC 3629 §4).
std::size_t utf8_length(std::string_view text);

/// Does this character, well-formed and alone, do anything but show itself? Controls of a terminal, marks that turn the
/// direction of writing, and what has no width: with them one text can be made to look like another.
bool is_hidden(std::string_view character);

}  // namespace imageswarm
