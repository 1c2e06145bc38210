#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imageswarm {

/// What to say behind a message about a word that nobody knows: "; did you mean 'add'?" or "; known here: add, edit".
std::string suggestion(std::string_view word, std::vector<std::string> const& known);

}  // namespace imageswarm
