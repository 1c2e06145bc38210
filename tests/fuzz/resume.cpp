#include "daemon/swarm/resume.hpp"
#include "common/base/file.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  static auto const file =
      std::filesystem::temp_directory_path() / ("imageswarm-fuzz-resume." + std::to_string(::getpid()));
  if (swarm::replace_resume(file, input)) (void)swarm::read_resume(file, {});
}

}  // namespace imageswarm
