#include "common/base/file.hpp"
#include "common/openstack/cloud.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  static auto const file =
      std::filesystem::temp_directory_path() / ("imageswarm-fuzz-clouds." + std::to_string(::getpid()));
  if (write_file_atomically(file, input)) (void)openstack::load_cloud(file, "mysite");
}

}  // namespace imageswarm
