#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "daemon/control/ctl/screen.hpp"

// What the daemon answers, as text for people; the JSON is that of docs/operations.md. A key that is missing, because
// the daemon is of another version, counts as one without value. Every line ends in LF.

namespace imageswarm::ctl {

using Json = nlohmann::ordered_json;

/// `status` and `host` are the answers to /status and /host.
std::string render_status(Json const& status, Json const& host, TimePoint now, Screen const& screen);

std::string render_images(Json const& images, Screen const& screen);
std::string render_subscriptions(Json const& subscriptions, TimePoint now, Screen const& screen);
std::string render_peers(Json const& peers, Screen const& screen);
std::string render_receipts(Json const& receipts, Screen const& screen);
std::string render_recalled(Json const& departures, Screen const& screen);
std::string render_hooks(Json const& hooks, Screen const& screen);
std::string render_explain(Json const& images, Screen const& screen);

/// The components of a grid as trees: below each the ones that it needs.
std::string render_relations(Json const& deployment, Screen const& screen);
/// One component: its state, what came of it and where that is.
std::string render_component(Json const& component, Screen const& screen);

/// "download limit unlimited, upload limit 20.0 MB/s; outside the site unlimited, 1.0 MB/s".
std::string limits_line(Json const& host);
/// What `ready` still waits for, one line each.
std::vector<std::string> render_missing(Json const& readiness, Screen const& screen);

}  // namespace imageswarm::ctl
