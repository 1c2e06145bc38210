#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/control/control.hpp"
#include "daemon/state/board.hpp"

// The board as `--json` shows it (docs/operations.md, "JSON"): every key is always there, null where there is no value.

namespace imageswarm::control {

nlohmann::ordered_json to_json(state::SubscriptionStatus const& subscription);
nlohmann::ordered_json to_json(state::SinkStatus const& sink);
nlohmann::ordered_json to_json(state::ImageStatus const& image);
nlohmann::ordered_json to_json(flow::Receipt const& receipt);
nlohmann::ordered_json to_json(state::DepartedSink const& sink);
nlohmann::ordered_json to_json(state::Departure const& departure);
nlohmann::ordered_json to_json(state::ComponentSink const& sink);
nlohmann::ordered_json to_json(state::DeployedComponent const& component);
nlohmann::ordered_json to_json(state::Deployment const& deployment);
nlohmann::ordered_json to_json(PeerRow const& peer);
nlohmann::ordered_json to_json(state::HookStatus const& hook);

/// host, version, subscriptions, images.
nlohmann::ordered_json status_json(state::Board const& board);
/// What concerns the daemon as a whole and has no place in `status --json`.
nlohmann::ordered_json host_json(state::Board const& board);
/// Why the image is or is not here.
nlohmann::ordered_json explain_json(state::ImageStatus const& image);

/// As text; bytes that are not UTF-8 become U+FFFD.
std::string dump(nlohmann::ordered_json const& json);

}  // namespace imageswarm::control
