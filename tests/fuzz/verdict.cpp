#include "common/image/inspector_process.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// A line of a helper that has been taken over says an image, a fault or the end, never two of them.
void fuzz::try_out(std::string_view input) {
  auto const line = image::parse_verdict(input);
  demand(!line || !(line->image && line->fault));
}

}  // namespace imageswarm
