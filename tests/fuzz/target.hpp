#pragma once

#include <string_view>

namespace imageswarm::fuzz {

/// What a fuzz target does with its input: every file of this directory that is not a helper defines it once.
void try_out(std::string_view input);

/// Ends the run as a crash would: what holds for every input did not.
void demand(bool holds);

}  // namespace imageswarm::fuzz
