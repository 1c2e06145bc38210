#include <algorithm>

#include "common/image/formats.hpp"
#include "common/image/qcow2_disk.hpp"
#include "tests/fuzz/memory_content.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

namespace {

void read_disk(image::Content& content) {
  constexpr auto most = 64_MiB;
  auto const head = image::read_part(content, 0, std::min(image::head_size, content.size()).value);
  image::Qcow2Disk disk{*head, content};
  auto const announced = disk.data();
  if (!announced || *announced > most) return;
  ByteCount sum;
  static_cast<void>(disk.read([&](std::uint64_t, std::span<std::byte const> data) -> Result<> {
    sum += ByteCount{data.size()};
    return {};
  }));
  fuzz::demand(sum <= *announced);
}

}  // namespace

/// Every format of a disk, and appliances; and the disk of a qcow2.
void fuzz::try_out(std::string_view input) {
  MemoryContent content{input};
  auto const found = image::judge(content);
  demand(!found || (found->virtual_size.value > 0 && found->virtual_size <= image::max_virtual_size));
  if (found && found->disk_format == "qcow2") read_disk(content);
}

}  // namespace imageswarm
