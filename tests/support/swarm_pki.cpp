#include "tests/support/swarm_pki.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "tests/support/test_ca.hpp"

namespace imageswarm::test {
namespace {

constexpr auto script = IMAGESWARM_SOURCE_DIR "/tests/support/swarm-ca";

}  // namespace

SwarmPki::SwarmPki(std::string const& name) : name_{name} {
  shell(directory_.path(), fmt::format("{} {}", script, name));
}

std::string SwarmPki::text(std::string const& file) const {
  std::ifstream stream{path() / file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::string SwarmPki::issue(std::string const& name, std::string const& common_name,
                            std::string const& alternative_names, std::string const& options) const {
  shell(directory_.path(),
        fmt::format("{} {} {} '{}' '{}' {}", script, name_, name, common_name, alternative_names, options));
  return name;
}

}  // namespace imageswarm::test
