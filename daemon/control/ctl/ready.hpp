#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "common/base/result.hpp"

namespace imageswarm::ctl {

using Json = nlohmann::ordered_json;

/// Asks until the answer is ready, the daemon fails, or `wait_a_little` says that the time is over. The last answer;
/// not-found when no catalogue has the image yet.
[[nodiscard]] Result<Json> wait_until_ready(std::function<Result<Json>()> const& ask,
                                            std::function<bool()> const& wait_a_little);
bool is_ready(Json const& answer);

}  // namespace imageswarm::ctl
