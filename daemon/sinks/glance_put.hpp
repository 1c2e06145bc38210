#pragma once

#include <stop_token>
#include <string>

#include "common/openstack/glance.hpp"
#include "daemon/flow/artefact.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/flow/values.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {

struct GlancePut {
  openstack::GlanceImage image;  ///< usable
  bool uploaded = false;         ///< by this call
  bool unpacked = false;         ///< the content was unpacked here, and with it both of its digests compared
};

/// Looks, decides (glance_plan.hpp) and acts until the image is usable, whoever made it so. Faults: those of the sink.
[[nodiscard]] Result<GlancePut> put_into(openstack::Glance& glance, flow::SinkSettings const& settings,
                                         std::string const& host, flow::Want const& want,
                                         flow::Artefact const& artefact, Sink::Progress const& progress,
                                         std::stop_token const& stop);

}  // namespace imageswarm::sinks
