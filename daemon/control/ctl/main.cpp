#include <clocale>

#include "daemon/control/ctl/cli.hpp"

int main(int argc, char** argv) {
  // For the character set of the terminal; numbers stay as in C.
  std::setlocale(LC_CTYPE, "");
  return imageswarm::ctl::run_program(argc, argv);
}
