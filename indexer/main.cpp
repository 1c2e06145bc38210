#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "common/base/log.hpp"
#include "indexer/cli.hpp"

namespace {

bool ask(std::string const& question) {
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `imageswarm-index list | head` is no reason to die in the middle of a change
  imageswarm::configure_log("imageswarm-index", imageswarm::LogLevel::info, false);
  bool const terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  imageswarm::SystemClock const clock;
  imageswarm::indexer::Surroundings world{clock, std::cout, std::cerr, {}};
  if (terminal) world.ask = ask;
  return imageswarm::indexer::run({argv + 1, argv + argc}, world);
}
