#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/document/model.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/flow/values.hpp"
#include "daemon/state/departure.hpp"
#include "daemon/state/deployment.hpp"

namespace imageswarm::state {

// What the host is doing, as plain values: the coordinator writes it on the loop thread, the control API and the
// metrics read it there. Names and meanings are those of `status --json` (docs/operations.md).

enum class ImageState : std::uint8_t {
  not_selected,
  not_approved,
  fetching,
  verifying,
  preparing,
  registering,
  active,
  superseded,
  expired,
  withdrawn,
  recalled,
  failed,
};
std::string_view name_of(ImageState state);  ///< "not-selected", …
std::optional<ImageState> image_state_of(std::string_view name);

enum class SubscriptionState : std::uint8_t { current, stale, expired, refused, unreachable };
std::string_view name_of(SubscriptionState state);

enum class SinkState : std::uint8_t { absent, working, present, failed };
std::string_view name_of(SinkState state);

std::string_view name_of(ComponentState state);  ///< "waiting", …

struct SubscriptionStatus {
  std::string name;  ///< of the document; empty before the first one was accepted
  document::Kind kind{};
  std::string url;
  std::string endorser;  ///< whom an endorser list names for it, trust::Signer::text(); empty: it is configured
  std::optional<std::uint64_t> epoch, serial;
  std::optional<TimePoint> expires;
  std::string neighbour;  ///< address of the host that gave the document, since its source did not; else empty
  SubscriptionState state = SubscriptionState::unreachable;
  std::optional<Error> error;
  std::optional<TimePoint> refreshed;  ///< last time the source answered
  std::optional<TimePoint> next_refresh;
};

struct SinkStatus {
  std::string type;
  std::string name;
  SinkState state = SinkState::absent;
  std::string reference;
  std::optional<Error> error;
};

using flow::Reason;

struct ImageStatus {
  Uuid image_id;
  Uuid uuid;
  std::string name;
  document::Version version;
  std::string endorser;
  ImageState state = ImageState::not_selected;
  std::optional<double> progress;  ///< 0 to 1 of the present state
  Rate download_rate{0}, upload_rate{0};
  ByteCount from_peers, from_web_seeds, found_here, uploaded;
  unsigned peers = 0;
  ByteCount artefact_size;
  std::vector<SinkStatus> sinks;
  std::optional<Error> error;
  std::vector<Reason> reasons;
  std::string catalogue;  ///< name of the document
};

/// A hook, and what it must still be told.
struct HookStatus {
  std::string name;  ///< the program and its arguments
  std::vector<flow::EventKind> events;
  std::size_t waiting = 0;
  std::optional<TimePoint> oldest;  ///< of what waits
  bool running = false;
  std::optional<Error> error;  ///< of the last run; none after a success
};

struct Board {
  std::string host;
  std::vector<SubscriptionStatus> subscriptions;
  std::vector<ImageStatus> images;
  std::vector<flow::Receipt> receipts;
  std::vector<Departure> departures;  ///< what was superseded is not among them
  std::vector<HookStatus> hooks;
  std::vector<Deployment> deployments;  ///< one for each grid that was asked for since the start
  flow::HostRates limits;
  bool first_round_done = false;
  bool paused = false;                          ///< by the operator
  std::map<std::string, std::uint64_t> faults;  ///< how often each fault word was said since the start
};

}  // namespace imageswarm::state
