#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/coordinator/locate.hpp"
#include "daemon/coordinator/transitions.hpp"
#include "daemon/selection/select.hpp"
#include "daemon/sinks/sink.hpp"
#include "daemon/state/board.hpp"
#include "daemon/swarm/transfer.hpp"

namespace imageswarm::coordinator {

/// What went wrong last, and when it is worth another try.
struct Retry {
  std::optional<Error> error;  ///< of the last try; none after a success
  unsigned failures = 0;       ///< in a row
  std::chrono::steady_clock::time_point not_before{};
  std::string last_said;  ///< the line that was logged last: the same one is not logged twice

  bool due() const { return std::chrono::steady_clock::now() >= not_before; }
  /// Would another try soon not mend it?
  bool lasts() const { return refused() || failures >= 3; }
  bool refused() const { return error && class_of(error->fault) == FaultClass::refused; }
};

/// One image in one sink.
struct SinkRecord {
  std::shared_ptr<sinks::Sink> sink;
  SinkFact fact = SinkFact::unknown;
  std::optional<flow::Receipt> receipt;
  Retry retry;
  bool working = false;
  bool owed = false;        ///< the image must still be taken out of use here
  bool superseded = false;  ///< the image is wanted, but not here: there are enough newer ones
};

/// All that the coordinator knows of one image.
struct Record {
  selection::Decision decision;
  std::optional<Located> located;
  bool joined = false;
  bool complete = false;
  bool held = false;       ///< in state: begun, or whole and verified, now or in an earlier run
  bool in_place = false;   ///< the artefact belongs to others
  bool has_files = false;  ///< something of ours lies in the store
  bool evicted = false;    ///< its artefact gave way to newer versions; it is in its sinks
  std::optional<flow::VerifiedArtefact> verified;
  std::shared_ptr<flow::Arrival> arrival;  ///< how much is here in order, as long as it may be begun before it is whole
  std::vector<SinkRecord> sinks;
  swarm::TransferStatus transfer;

  bool in_flight = false;  ///< a job is under way
  std::shared_ptr<std::atomic<std::uint64_t>> moved = std::make_shared<std::atomic<std::uint64_t>>(0);  ///< by `put`
  Retry retry;                 ///< of all steps but those of a sink
  std::optional<Error> stall;  ///< what keeps the swarm waiting
  std::stop_source cancel;     ///< of the job under way: it is not wanted any more

  Uuid const& id() const { return decision.want.image.image_id; }
  /// "debian-12 20260110 (5f3c…)", for messages.
  std::string title() const;
  bool selected() const { return decision.verdict == selection::Verdict::selected; }
  bool active() const;
  /// The first error of the image or of one of its sinks, or null.
  Retry const* trouble() const;
};

Facts facts_of(Record const& record, bool paused);
state::ImageStatus status_of(Record const& record);

/// How long to wait before the next try after the n-th failure in a row (n from 1): seconds that double up to five
/// minutes for what may mend itself; an hour for what was refused, which only other bytes can mend.
std::chrono::seconds retry_delay(Fault fault, unsigned failures);

}  // namespace imageswarm::coordinator
