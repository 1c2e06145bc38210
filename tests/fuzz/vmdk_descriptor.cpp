#include "common/image/vmdk_descriptor.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// What is accepted names no path and no parent.
void fuzz::try_out(std::string_view input) {
  auto const read = image::read_vmdk_descriptor(input);
  demand(!read || read->create_type == "monolithicSparse" || read->create_type == "streamOptimized");
}

}  // namespace imageswarm
