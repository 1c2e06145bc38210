#include "daemon/sinks/group.hpp"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace imageswarm::sinks {
namespace {

Result<gid_t> number_of(std::string const& group) {
  if (auto const number = parse_number(group, 0, std::numeric_limits<gid_t>::max() - 1)) {
    return static_cast<gid_t>(*number);
  }
  std::vector<char> buffer(64 << 10);
  struct group entry {};
  struct group* found = nullptr;
  if (::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found) return found->gr_gid;
  return fail(Fault::not_found,
              "there is no group {} on this host; is Nova installed? Its files may have a number only",
              printable(group));
}

bool is_ours(gid_t group) {
  if (::geteuid() == 0 || ::getegid() == group) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  auto const count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  return count > 0 && std::ranges::find(groups, group) != groups.end();
}

}  // namespace

Result<gid_t> own_group(std::string const& group) {
  auto const number = number_of(group);
  if (!number || is_ours(*number)) return number;
  return fail(Fault::permission,
              "imageswarmd is not in the group {0}; install the drop-in nova-cache.conf of the unit "
              "(SupplementaryGroups={0}) and restart it",
              printable(group));
}

}  // namespace imageswarm::sinks
