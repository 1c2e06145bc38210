#include "daemon/appliance/relations.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/text.hpp"

namespace imageswarm::appliance {
namespace {

/// Depth first. As deep as the longest chain, of at most as many components as a grid may have.
class Sorting {
public:
  explicit Sorting(std::vector<Component> components) : waiting_{std::move(components)} {}

  Result<std::vector<Component>> run() {
    while (!waiting_.empty()) {
      if (auto const done = take(std::string{waiting_.front().name}); !done) return fail(done.error());
    }
    return std::move(sorted_);
  }

private:
  Result<> take(std::string const& name) {
    if (std::ranges::count(sorted_, name, &Component::name) > 0) return {};
    if (auto const begin = std::ranges::find(path_, name); begin != path_.end()) {
      std::vector<std::string> circle{begin, path_.end()};
      circle.push_back(name);
      return fail(Fault::config_value, "components need each other in a circle: {}", join(circle, " needs "));
    }
    auto const at = std::ranges::find(waiting_, name, &Component::name);
    if (at == waiting_.end())
      return fail(Fault::config_value, "{} needs {}, which is no component of the grid", path_.back(), printable(name));
    path_.push_back(name);
    for (auto const& needed : std::vector{at->needs}) {
      if (auto const done = take(needed); !done) return done;
    }
    path_.pop_back();
    auto const now = std::ranges::find(waiting_, name, &Component::name);
    sorted_.push_back(std::move(*now));
    waiting_.erase(now);
    return {};
  }

  std::vector<Component> waiting_, sorted_;
  std::vector<std::string> path_;  ///< from the first one to the one in hand
};

}  // namespace

Result<std::vector<Component>> in_order(std::vector<Component> components) {
  return Sorting{std::move(components)}.run();
}

}  // namespace imageswarm::appliance
