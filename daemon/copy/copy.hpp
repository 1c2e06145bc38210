#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "common/base/uuid.hpp"
#include "common/openstack/source_image.hpp"

namespace imageswarm::copy {

struct Copied {
  openstack::GlanceImage target;
  bool was_there = false;  ///< the same data was found under this ID: nothing was sent
};

using Progress = std::function<void(ByteCount)>;  ///< bytes sent so far; called on the calling thread

/// Copies an active image of one Glance into another, on its way through this process, a few MiB at a time.
///
/// The copy has the same ID or, where that is used up, the ID of the next attempt, as every sink has it. It is made
/// hidden; its last byte is sent when all of the source has been compared with its record and with what was `promised`,
/// and it is shown when what has arrived was compared, too. Harmless when repeated: what is there is left alone, what
/// was cut off is filled again. Blocks.
/// Faults: those of Glance, hash-mismatch, glance-busy (somebody else fills it), glance-conflict (the source lost its
/// trust, or all IDs are used up), glance-forbidden (the copy was deactivated).
[[nodiscard]] Result<Copied> copy_image(openstack::Glance& from, openstack::Glance& to,
                                        openstack::GlanceImage const& source,
                                        std::optional<openstack::Data> const& promised, Progress const& progress,
                                        std::stop_token const& stop);

/// The image ID of a record that imageswarmd made; nothing for any other, such as a snapshot that inherited our
/// properties.
std::optional<Uuid> image_id_of(openstack::GlanceImage const& record);

}  // namespace imageswarm::copy
