#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/selection/select.hpp"
#include "daemon/state/board.hpp"

namespace imageswarm::coordinator {

/// What is known of a sink for one image.
enum class SinkFact : std::uint8_t {
  unchecked,  ///< a receipt from earlier, not yet compared since the start (or for long)
  unknown,    ///< no receipt, not asked yet
  absent,     ///< asked, or taken out of use: not there
  present,    ///< a receipt that was compared
};

/// A sink, and whether it is worth a try now.
struct SinkFacts {
  SinkFact fact = SinkFact::unknown;
  bool due = true;
  bool owed = false;        ///< the image must still be taken out of use there
  bool superseded = false;  ///< it has enough newer versions, and does not want this one
};

/// Everything that the next step of an image depends on.
struct Facts {
  selection::Verdict verdict = selection::Verdict::not_selected;
  bool may_fetch = false;
  bool may_seed = false;
  bool located = false;    ///< torrent admitted, and it is known where the artefact lies or shall lie
  bool filled = false;     ///< what this host has of the artefact's pieces is in place
  bool joined = false;     ///< in the swarm
  bool complete = false;   ///< every piece is here
  bool verified = false;   ///< the whole artefact has its signed digest, compared since the start
  bool has_files = false;  ///< an artefact of ours lies in the store, whole or not
  bool evicted = false;    ///< active without an artefact, for lack of room in the store
  bool early = false;      ///< enough of it is here in order, and the rest will be soon, to begin with it
  bool feeding = false;    ///< a sink is being filled
  bool due = true;         ///< the steps that concern no sink are worth a try now
  std::vector<SinkFacts> sinks;
};

enum class Step : std::uint8_t {
  none,        ///< nothing to do, or waiting for the swarm
  locate,      ///< get the torrent through the gate, look for the artefact on this host
  fill,        ///< put those of its pieces in place that this host has already
  join,        ///< give it to the swarm
  run_ahead,   ///< hash it as it arrives, and bring it into a sink: hidden there until all is right
  verify,      ///< compare the whole artefact with its signed digest
  check_sink,  ///< ask a sink whether the image is there
  put,         ///< bring the image into a sink
  leave,       ///< take it out of the swarm
  retire,      ///< take it out of use in a sink
  discard,     ///< remove our artefact
};

struct Next {
  Step step = Step::none;
  std::size_t sink = 0;  ///< of check_sink, put and retire
};

/// One step towards what selection wants: a table, read from the top (docs/design.md, "One image"). Doing the same step
/// again is always harmless, so a restart needs no path of its own.
Next next_step(Facts const& facts);

/// The state that people see while nothing has failed.
state::ImageState shown_state(Facts const& facts);

/// Taking an image out of use: the verdicts that lead to `retire`, and as what. Nothing for the others.
std::optional<flow::Retirement> retirement_of(selection::Verdict verdict);

}  // namespace imageswarm::coordinator
