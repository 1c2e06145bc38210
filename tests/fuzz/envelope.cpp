#include <span>

#include "common/trust/envelope.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// Nothing is lost between the body and its signature.
void fuzz::try_out(std::string_view input) {
  auto const opened = trust::open_envelope(input);
  if (!opened || opened->body.empty()) return;
  auto const sealed = trust::seal_envelope(opened->body, std::as_bytes(std::span{opened->signature}));
  if (!sealed) return demand(false);
  auto const again = trust::open_envelope(*sealed);
  demand(again && again->body == opened->body && again->signature == opened->signature);
}

}  // namespace imageswarm
