#include "common/trust/identity.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// What is read and written again is the same name.
void fuzz::try_out(std::string_view input) {
  auto const name = trust::DistinguishedName::parse(input);
  if (!name) return;
  auto const again = trust::DistinguishedName::parse(name->text());
  demand(again && *again == *name);
}

}  // namespace imageswarm
