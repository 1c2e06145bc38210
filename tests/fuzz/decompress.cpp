#include <sys/mman.h>
#include <array>

#include "common/base/file.hpp"
#include "common/image/decompress.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// The first byte chooses the format. A stream that is accepted was read to its end.
void fuzz::try_out(std::string_view input) {
  if (input.empty()) return;
  auto const format = static_cast<document::Compression>(1 + static_cast<unsigned char>(input.front()) % 4);
  input.remove_prefix(1);
  UniqueFd const fd{::memfd_create("packed", MFD_CLOEXEC)};
  if (!write_all(fd.get(), std::as_bytes(std::span{input}), "memory")) return;
  image::Input packed{fd.get(), {input.size()}};
  auto const decoder = image::make_decoder(format, packed);
  std::array<std::byte, 65536> piece;
  for (int pieces = 0; decoder && pieces < 64; ++pieces) {
    auto const size = (*decoder)->read(piece);
    if (!size) return;
    if (*size < piece.size()) return demand(packed.peek(1)->empty());
  }
}

}  // namespace imageswarm
