#include "common/image/manifest.hpp"
#include "tests/fuzz/memory_content.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  MemoryContent content{std::string_view{"\1\0disk", 6}};
  image::Member const file{"disk.vmdk", 0, 4};
  (void)image::check_manifest(input, {&file, 1}, content);
}

}  // namespace imageswarm
