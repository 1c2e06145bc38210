#include "common/yaml/value.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// What is read and written again is the same.
void fuzz::try_out(std::string_view input) {
  auto const value = yaml::parse(input);
  if (!value) return;
  auto const text = yaml::write(*value);
  auto const again = yaml::parse(text);
  demand(again && yaml::write(*again) == text);
}

}  // namespace imageswarm
