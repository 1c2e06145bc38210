#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "indexer/commands/context.hpp"

namespace imageswarm::indexer {

/// The world around the command line, which tests replace.
struct Surroundings {
  Clock const& clock;
  std::ostream& out;
  std::ostream& err;
  /// Asks a yes-or-no question; empty where there is no terminal.
  std::function<bool(std::string const&)> ask;
};

/// Runs one command; `arguments` come without the program's name. The exit status of docs/faults.md.
int run(std::vector<std::string> arguments, Surroundings const& world);

}  // namespace imageswarm::indexer
