#include "common/image/formats.hpp"
#include "tests/fuzz/memory_content.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// Every format of a disk, and appliances.
void fuzz::try_out(std::string_view input) {
  MemoryContent content{input};
  auto const found = image::judge(content);
  demand(!found || (found->virtual_size.value > 0 && found->virtual_size <= image::max_virtual_size));
}

}  // namespace imageswarm
