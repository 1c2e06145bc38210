#pragma once

#include <map>
#include <string>

#include "common/base/digest.hpp"
#include "common/openstack/glance.hpp"
#include "daemon/flow/settings.hpp"

namespace imageswarm::sinks {

/// The properties by which Nova verifies an image whose stored bytes have this digest. A signature that the record has
/// already and that the same key made is taken over, so that of many hosts with the key only one changes anything.
/// Reads the key anew. Faults: key-unreadable, and config-value for a kind of key that Nova does not know or whose
/// signature has no room in a property.
[[nodiscard]] Result<std::map<std::string, std::string>> signature_properties(flow::SignatureSettings const& settings,
                                                                              Sha512 const& content,
                                                                              openstack::GlanceImage const& record);

}  // namespace imageswarm::sinks
