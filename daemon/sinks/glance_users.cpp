#include "daemon/sinks/glance_users.hpp"

#include "common/base/text.hpp"
#include "common/openstack/nova.hpp"

namespace imageswarm::sinks {
namespace {

/// More are only counted as "more".
constexpr std::size_t most_named = 200;

}  // namespace

std::string users_in_nova(openstack::Cloud const& cloud, std::vector<std::string> const& glance_ids,
                          std::stop_token const& stop) {
  std::vector<std::string> users;
  for (auto const& id : glance_ids) {
    auto const instances = openstack::instances_of(cloud, id, most_named + 1, stop);
    if (!instances) return "it is not known which instances: " + instances.error().line();
    if (!*instances) return "";
    for (auto const& instance : **instances) {
      users.push_back(fmt::format("{} ({})", printable(instance.name), printable(instance.id)));
    }
  }
  if (users.empty()) return "";
  bool const are_more = users.size() > most_named;
  if (are_more) users.resize(most_named);
  return fmt::format("instances {}{}", join(users, ", "), are_more ? " and more" : "");
}

}  // namespace imageswarm::sinks
