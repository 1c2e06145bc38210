#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::state {

/// What became of a departed image in one sink.
struct DepartedSink {
  std::string name, type;
  std::string reference;               ///< Glance ID or path; empty where it never was
  std::optional<flow::Effect> effect;  ///< none: not done yet
  std::string used_by;                 ///< as far as that could be seen at `at`, for people
  std::optional<TimePoint> at;         ///< of `effect`
  std::optional<Error> error;          ///< of the last try; not kept

  bool is_done() const { return effect && *effect != flow::Effect::in_use; }
};

/// An image that was here and had to go: the proof of a recall (docs/operations.md, "Recall").
struct Departure {
  flow::Want want;  ///< as it was when it was here
  flow::Retirement why{};
  std::string reason;                  ///< the rule, the document or the certificate that ended it
  TimePoint since;                     ///< when this host learnt of it
  std::optional<TimePoint> unseeded;   ///< not in the swarm since then
  std::optional<TimePoint> discarded;  ///< our artefact was removed; none where it belongs to others
  std::vector<DepartedSink> sinks;     ///< all that could have had it
};

/// Since when nobody on this host seeds it and no sink hands it out; nothing as long as somebody does.
std::optional<TimePoint> confirmed_at(Departure const& departure);

}  // namespace imageswarm::state
