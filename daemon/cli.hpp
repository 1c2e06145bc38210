#pragma once

#include <variant>

#include "daemon/app.hpp"

namespace imageswarm::daemon {

/// The options, or the exit status where the command line was asked for help or is wrong (2); what is to be said has
/// been printed then.
std::variant<Options, int> parse_arguments(int argc, char** argv);

}  // namespace imageswarm::daemon
