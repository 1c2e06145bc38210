#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/trust/verify.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::selection {

/// What a document that was once accepted is worth now.
enum class Standing : std::uint8_t {
  trusted,
  stale,    ///< expired, or its signature cannot be checked at the moment (CRL stale): nothing new on its word
  stopped,  ///< stale for more than a day: no seeding either
  revoked,  ///< signer revoked or no longer allowed: what it vouched for is withdrawn
};

/// A subscription and the document that it last gave; none before the first was accepted.
template <class T>
struct Source {
  std::shared_ptr<trust::Verified<T> const> document;
  std::string url;
  Standing standing = Standing::trusted;
  std::vector<trust::SignerPattern> signers{};  ///< who may sign it; none: not said
  std::optional<std::string> name{};            ///< the only one that its document may have
};

/// An image that this host has, as it was wanted then: it may have left the catalogue since.
using Held = flow::Want;

/// An image that was here and had to go.
struct Departed {
  flow::Want want;  ///< as it was here
  flow::Retirement why{};
  std::string reason;    ///< of `why`, for people
  bool is_done = false;  ///< out of use, and no further cause can concern it
};

/// A sink that keeps the newest versions of a family.
struct Keeper {
  std::string sink;  ///< its name; empty: the host itself, which has no sinks
  unsigned keep = 2;
  std::set<Uuid> present;  ///< in it, and usable there
};

struct Input {
  flow::HostSettings host;
  flow::ApprovalPolicy policy{};
  std::vector<document::Rule> select;
  std::vector<Source<document::Catalogue>> catalogues;
  std::vector<Source<document::ApprovalList>> approvals;
  /// Nobody can be an endorser but by `catalogues`; false: an endorser list that could name others is not at hand.
  bool endorsers_known = true;
  std::vector<Held> held;
  std::vector<Departed> departed;
  std::vector<Keeper> keepers{{}};  ///< at least one
  TimePoint now;
};

enum class Verdict : std::uint8_t { selected, not_selected, not_approved, expired, withdrawn, recalled, superseded };

struct Decision {
  flow::Want want;
  Verdict verdict = Verdict::not_selected;
  bool is_endorsed_now = false;  ///< selected, by a catalogue that is trusted
  bool may_fetch = false;        ///< bytes that are not here may be fetched
  bool may_seed = false;
  std::set<std::string> superseded_in;  ///< sinks that have enough newer versions
  std::vector<flow::Reason> reasons;    ///< every question in the order it was asked
};

/// One decision for every image ID in the catalogues or held here, in the order of the catalogues.
struct Plan {
  std::vector<Decision> decisions;
};

/// Pure: the same input gives the same plan (docs/design.md, "Selection"). Recall wins over everything; then
/// withdrawal, expiry, approval, the entry's distribution keys and the host's own `select`; last, `keep` of each sink
/// within the family.
Plan select(Input const& input);

}  // namespace imageswarm::selection
