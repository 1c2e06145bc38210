#include "daemon/flow/values.hpp"

#include <algorithm>
#include <array>

namespace imageswarm::flow {

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 5> retirements{"expired", "withdrawn", "not-approved", "recalled", "superseded"};
constexpr std::array<std::string_view, 5> effects{"absent", "removed", "hidden", "deactivated", "in-use"};

template <class T>
std::optional<T> named(std::array<std::string_view, 5> const& names, std::string_view name) {
  auto const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<T>(found - names.begin());
}

}  // namespace

std::string_view name_of(Retirement why) {
  return retirements.at(static_cast<std::size_t>(why));
}

std::optional<Retirement> retirement_of(std::string_view name) {
  return named<Retirement>(retirements, name);
}

std::string_view name_of(Effect effect) {
  return effects.at(static_cast<std::size_t>(effect));
}

std::optional<Effect> effect_of(std::string_view name) {
  return named<Effect>(effects, name);
}

}  // namespace imageswarm::flow
