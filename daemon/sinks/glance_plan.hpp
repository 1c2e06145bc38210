#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/openstack/glance.hpp"
#include "daemon/flow/values.hpp"

// How many hosts, any of which may die at any moment, make one usable image in one Glance, which may be killed too
// (docs/operations.md, "Glance"). Each host looks at all records of the image, lets `decide` say the next step, does
// it, and looks again, until the image is usable or somebody else is at it.
//
// What it rests on (measured): of several creates with one ID, one succeeds, and the ID is then used up for ever; of
// several uploads into one record, one succeeds; a client that is gone puts the record back to `queued`, while a Glance
// that was killed leaves it in `saving` for ever.

namespace imageswarm::sinks {

/// A queued record of another host is waited for so long; then that host has died between creating and uploading.
inline constexpr std::chrono::seconds queued_patience{60};
/// A complete record that another host has not shown yet is waited for so long.
inline constexpr std::chrono::seconds show_patience{15};
/// A record in `saving` may be so old: the longest an upload is given, and a minute for its answer.
std::chrono::seconds saving_patience(ByteCount size);
/// An image that was taken out for its lack of trust is not shown again so soon, as another host may simply not have
/// read the new documents yet.
inline constexpr std::chrono::seconds retired_patience{30 * 60};
/// How long to wait between two looks at an upload of our own that this process is not making. Glance needs half a
/// second to notice that the process which made it is gone.
inline constexpr std::chrono::seconds look_again_after{3};

/// What a record is to us.
enum class Condition {
  usable,        ///< active, shown, and the very bytes
  complete,      ///< the very bytes, but hidden or deactivated
  wrong,         ///< has data, and not ours
  uncomparable,  ///< has data under a hash that we do not know
  queued,        ///< waits for an upload
  uploading,     ///< an upload is going on, or was when Glance was killed
  gone,
};
Condition condition_of(openstack::GlanceImage const& record, document::Image const& image);

enum class Action {
  use,         ///< `id` is the image
  show,        ///< inspect here, then show `id`
  upload,      ///< into `id`, which we made
  adopt,       ///< `id` was given up by its host: make it ours, then upload
  look_again,  ///< `id` says that we are uploading; if it still does after a while, it is a corpse
  remove,      ///< delete `id`: a corpse, or not the image
  hide,        ///< `id` is one usable image too many
  create,      ///< there is nothing
  wait,        ///< another host is at it, or it is too early
  refuse,      ///< somebody must act
};

struct Decision {
  Action action{};
  std::string id;                    ///< of a record; empty for `create`
  std::string reason;                ///< for people; with `wait` and `refuse` it is the error's text
  Fault fault = Fault::glance_busy;  ///< with `wait` and `refuse`
  bool operator==(Decision const&) const = default;
};

/// The records that we made of an image, in the order of the attempts. Others may carry its properties, too: Nova
/// copies them to the snapshots of its instances. Those are not ours to judge, let alone to delete.
std::vector<openstack::GlanceImage> our_attempts(std::vector<openstack::GlanceImage> found, Uuid const& image_id);

/// The next step of `host` towards exactly one usable record. `found` is what a search for the image gave;
/// `suspect` is the record that the last step was `look_again` for. Pure.
Decision decide(std::vector<openstack::GlanceImage> const& found, document::Image const& image, std::string_view host,
                std::string_view suspect);

/// The record that is the image, if there is one: the one of the lowest attempt.
std::optional<openstack::GlanceImage> usable_of(std::vector<openstack::GlanceImage> found,
                                                document::Image const& image);

}  // namespace imageswarm::sinks
