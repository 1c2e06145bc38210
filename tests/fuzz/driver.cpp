#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  imageswarm::fuzz::try_out({reinterpret_cast<char const*>(data), size});
  return 0;
}

void imageswarm::fuzz::demand(bool holds) {
  if (!holds) std::abort();
}
