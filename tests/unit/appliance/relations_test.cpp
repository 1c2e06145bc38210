#include "daemon/appliance/relations.hpp"

#include <catch2/catch.hpp>

using namespace imageswarm;
using namespace imageswarm::appliance;
using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

namespace {

Component component(std::string name, Names needs = {}) {
  Component made;
  made.name = std::move(name);
  made.needs = std::move(needs);
  return made;
}

Names names_in_order(std::vector<Component> components) {
  auto const sorted = in_order(std::move(components));
  REQUIRE(sorted);
  Names names;
  for (auto const& one : *sorted) names.push_back(one.name);
  return names;
}

}  // namespace

TEST_CASE("a component comes behind those that it needs, and otherwise as it came", "[appliance]") {
  CHECK(names_in_order({component("a"), component("b"), component("c")}) == Names{"a", "b", "c"});
  CHECK(names_in_order({component("a", {"c"}), component("b", {"c", "a"}), component("c")}) == Names{"c", "a", "b"});
  CHECK(names_in_order({component("a", {"b", "c"}), component("b", {"d"}), component("c", {"d"}), component("d")}) ==
        Names{"d", "b", "c", "a"});
}

TEST_CASE("components that need each other in a circle are named", "[appliance]") {
  auto const circle =
      in_order({component("x", {"a"}), component("a", {"b"}), component("b", {"c"}), component("c", {"a"})});
  REQUIRE_FALSE(circle);
  CHECK(circle.error().fault == Fault::config_value);
  CHECK_THAT(circle.error().what, Contains("a needs b needs c needs a") && !Contains("x needs"));
  CHECK_FALSE(in_order({component("a", {"a"})}));
}

TEST_CASE("a component that needs one that is not there is refused", "[appliance]") {
  auto const missing = in_order({component("a", {"b"})});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::config_value);
  CHECK_THAT(missing.error().what, Contains("a needs b"));
}
