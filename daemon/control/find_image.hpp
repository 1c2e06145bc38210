#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/state/board.hpp"

namespace imageswarm::control {

/// The image that an operator means by an image ID, NAME (its newest version), NAME@VERSION or a family's UUID (its
/// newest version). Faults: not-found; usage when images of several families fit.
[[nodiscard]] Result<state::ImageStatus const*> find_image(state::Board const& board, std::string_view image);

/// Is the image active and present in all its sinks?
bool is_ready(state::ImageStatus const& image);

/// The images that shall be on this host and are not ready; what is withdrawn, superseded or not for this host is none
/// of them.
std::vector<state::ImageStatus const*> missing_images(state::Board const& board);

}  // namespace imageswarm::control
