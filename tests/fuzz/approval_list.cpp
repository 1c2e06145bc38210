#include "common/document/model.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  auto const read = document::parse_approval_list(input);
  if (!read) return;
  auto const text = document::write(*read);
  auto const again = document::parse_approval_list(text);
  demand(again && document::write(*again) == text);
}

}  // namespace imageswarm
