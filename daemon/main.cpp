#include <variant>

#include "daemon/app.hpp"
#include "daemon/cli.hpp"

int main(int argc, char** argv) {
  auto const parsed = imageswarm::daemon::parse_arguments(argc, argv);
  if (auto const* status = std::get_if<int>(&parsed)) return *status;
  return imageswarm::daemon::run(std::get<imageswarm::daemon::Options>(parsed));
}
