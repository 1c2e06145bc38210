#include "common/yaml/value.hpp"

#include <algorithm>

namespace imageswarm::yaml {

bool Value::is_empty() const {
  return is_text() && text().empty();
}

Value const* Value::find(std::string_view key) const {
  if (!is_map()) return nullptr;
  auto const found = std::ranges::find(map(), key, &Member::key);
  return found == map().end() ? nullptr : &found->value;
}

}  // namespace imageswarm::yaml
