#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "common/base/units.hpp"
#include "common/openstack/glance.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/flow/values.hpp"

// What we write into Glance about an image, and how we recognise it (docs/operations.md, "Glance").

namespace imageswarm::sinks {

namespace property {
inline constexpr auto image_id = "imageswarm_image_id";
inline constexpr auto uploader = "imageswarm_uploader";  ///< host that made the record; others leave its upload alone
inline constexpr auto importing = "os_glance_importing_to_stores";  ///< Glance's own: copies under way
inline constexpr auto retired = "imageswarm_retired";  ///< why it was taken out of use; absent or empty = it was not
inline constexpr auto endorser = "imageswarm_endorser";
inline constexpr auto described_by = "imageswarm_described_by";  ///< catalogue and serial that all this is from
inline constexpr auto tags = "imageswarm_tags";                  ///< that we set, joined by commas
inline constexpr auto properties = "imageswarm_properties";      ///< likewise
}  // namespace property

/// After so many used-up IDs we give up.
inline constexpr unsigned max_attempts = 50;

/// Glance ID of the n-th attempt, from 1: the image ID, then UUIDv5(image ID, "2"), … as Glance never frees an ID.
Uuid attempt_id(Uuid const& image_id, unsigned attempt);

/// What a host of older knowledge leaves alone for so long: whoever described the record may know a newer catalogue.
inline constexpr std::chrono::hours description_patience{24};

/// A new record for this host to fill.
openstack::NewImage new_record(flow::Want const& want, flow::SinkSettings const& settings, Uuid const& id,
                               std::string_view host);

/// What must change so that the record says what the catalogue entry wishes and the site has set; nothing if it does,
/// and nothing if somebody described it who stands behind another entry or a newer one. `further` are properties beside
/// those. Tags and properties that we never set stay; those that we set and that nobody wants any more go.
openstack::Changes changes_to_describe(openstack::GlanceImage const& record, flow::Want const& want,
                                       flow::SinkSettings const& settings,
                                       std::map<std::string, std::string> const& further);

/// What must change so that `record` is shown, described like that; `virtual_size` is the least for min_disk.
openstack::Changes changes_to_show(openstack::GlanceImage const& record, flow::Want const& want,
                                   flow::SinkSettings const& settings, ByteCount virtual_size);

/// What takes a record out of sight, with the reason. What the site protects may be deleted again.
openstack::Changes changes_to_retire(openstack::GlanceImage const& record, flow::Retirement why,
                                     flow::SinkSettings const& settings);

/// The value of a property, empty if it is not there.
std::string_view property_of(openstack::GlanceImage const& record, std::string_view name);

}  // namespace imageswarm::sinks
