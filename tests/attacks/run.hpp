#pragma once

#include <string>
#include <vector>

#include "tests/attacks/attack.hpp"

namespace imageswarm::attacks {

/// What came of each attack, in their order: a word, or how its process died. Several at a time.
std::vector<std::string> run(Table const& attacks);

}  // namespace imageswarm::attacks
