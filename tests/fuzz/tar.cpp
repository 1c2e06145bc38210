#include "common/image/tar.hpp"
#include "tests/fuzz/memory_content.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// Members lie inside of the archive.
void fuzz::try_out(std::string_view input) {
  MemoryContent content{input};
  auto const members = image::read_tar(content);
  if (!members) return;
  for (auto const& member : *members) demand(member.offset + member.size <= content.size().value);
}

}  // namespace imageswarm
