#include "daemon/selection/loss.hpp"

#include <map>

namespace imageswarm::selection {
namespace {

std::map<Uuid, Verdict> verdicts(Input const& input) {
  std::map<Uuid, Verdict> by_image;
  for (auto const& decision : select(input).decisions) by_image[decision.want.image.image_id] = decision.verdict;
  return by_image;
}

}  // namespace

Loss loss_between(Input const& present, Input const& then) {
  if (present.held.empty()) return {};  // spares a new host two plans for each document
  auto before = verdicts(present), after = verdicts(then);
  Loss loss;
  for (auto const& held : present.held) {
    auto const id = held.image.image_id;
    if (before[id] == Verdict::withdrawn || before[id] == Verdict::recalled) continue;
    ++loss.held;
    loss.withdrawn += after[id] == Verdict::withdrawn ? 1 : 0;
  }
  return loss;
}

}  // namespace imageswarm::selection
