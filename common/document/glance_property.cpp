#include "common/document/glance_property.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace imageswarm::document {

Result<> check_glance_property(std::string_view name) {
  static constexpr std::array prefixes{"imageswarm_", "os_glance_", "img_signature", "owner"};
  static constexpr std::array attributes{"checksum",     "container_format",
                                         "created_at",   "deleted",
                                         "deleted_at",   "direct_url",
                                         "disk_format",  "file",
                                         "id",           "is_public",
                                         "location",     "locations",
                                         "members",      "min_disk",
                                         "min_ram",      "name",
                                         "os_hash_algo", "schema",
                                         "os_hidden",    "os_hash_value",
                                         "protected",    "self",
                                         "size",         "status",
                                         "stores",       "tags",
                                         "updated_at",   "virtual_size",
                                         "visibility"};
  auto const lower = lower_case(name);
  bool const reserved = std::ranges::any_of(prefixes, [&](auto prefix) { return lower.starts_with(prefix); }) ||
                        std::ranges::find(attributes, lower) != attributes.end();
  if (reserved) return fail(Fault::doc_field, "this property may not be set: it is Glance's own, or ours");
  if (name.empty() || name.size() > 255 || printable(name, 1024) != name) {
    return fail(Fault::doc_field, "this is not a property's name");
  }
  return {};
}

}  // namespace imageswarm::document
