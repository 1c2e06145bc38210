#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/openstack/glance.hpp"

namespace imageswarm::exchange {

/// What a Glance record says of its image, in our words.
struct RecordEntry {
  std::map<std::string, std::vector<std::string>> keys;  ///< of the entry, as `add --KEY` takes them
  std::vector<std::string> left_out;                     ///< properties that do not travel
};

/// Faults: exists (it is an image that a catalogue lists), image-format-unsupported (it does not boot by itself).
[[nodiscard]] Result<RecordEntry> read_record(openstack::GlanceImage const& record);

}  // namespace imageswarm::exchange
