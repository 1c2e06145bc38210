#include "common/image/ovf.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  (void)image::read_ovf(input);
}

}  // namespace imageswarm
