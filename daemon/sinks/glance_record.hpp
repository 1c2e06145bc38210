#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/units.hpp"
#include "common/openstack/glance.hpp"
#include "daemon/flow/values.hpp"

// What we write into Glance about an image, and how we recognise it (docs/operations.md, "Glance").

namespace imageswarm::sinks {

namespace property {
inline constexpr auto image_id = "imageswarm_image_id";
inline constexpr auto uploader = "imageswarm_uploader";  ///< host that made the record; others leave its upload alone
inline constexpr auto retired = "imageswarm_retired";    ///< why it was taken out of use; absent or empty = it was not
}  // namespace property

/// After so many used-up IDs we give up.
inline constexpr unsigned max_attempts = 50;

/// Glance ID of the n-th attempt, from 1: the image ID, then UUIDv5(image ID, "2"), … as Glance never frees an ID.
Uuid attempt_id(Uuid const& image_id, unsigned attempt);

/// A new record for this host to fill. `virtual_size` is what the guest's disk needs, where it is known already.
openstack::NewImage new_record(flow::Want const& want, Uuid const& id, std::string_view host);

/// What must change so that `record` is shown as the catalogue entry and the site want it; `virtual_size` is the
/// least for min_disk.
openstack::Changes changes_to_show(openstack::GlanceImage const& record, flow::Want const& want, ByteCount virtual_size,
                                   std::string_view visibility);

/// The value of a property, empty if it is not there.
std::string_view property_of(openstack::GlanceImage const& record, std::string_view name);

}  // namespace imageswarm::sinks
