#pragma once

namespace imageswarm::ctl {

/// The whole program: reads the command line, does what it says; the exit status of docs/operations.md.
int run_program(int argc, char const* const* argv);

}  // namespace imageswarm::ctl
