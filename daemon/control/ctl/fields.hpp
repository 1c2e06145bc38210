#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/units.hpp"
#include "daemon/control/ctl/table.hpp"

// Values of the daemon's objects as they are shown; a missing key or a value of another type is no value.

namespace imageswarm::ctl {

using Json = nlohmann::ordered_json;

Json const& member(Json const& object, std::string_view key);  ///< null if it is not there
Json const& items(Json const& object, std::string_view key);   ///< an empty array if it is not there
Json const& array(Json const& json);                           ///< itself, or an empty array

std::string text(Json const& object, std::string_view key, Screen const& screen);
ByteCount bytes(Json const& object, std::string_view key);
/// "45.2 MB/s"; empty for zero, so that what moves is seen.
std::string rate(Json const& object, std::string_view key);
/// "56 %".
std::string percent(Json const& object, std::string_view key);
/// "in 27d 3h", "3h 2m ago", "-".
std::string until(Json const& object, std::string_view key, TimePoint now);

/// "debian-12@20310501".
std::string image_name(Json const& image, Screen const& screen);
/// The state of an image, a subscription or a sink in its colour.
Cell state_cell(Json const& object, Screen const& screen);
/// The last error as a note, if there is one.
void add_error(Row& row, Json const& object, std::string_view subject, Screen const& screen);

}  // namespace imageswarm::ctl
