#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/trust/verify.hpp"
#include "daemon/coordinator/document.hpp"
#include "daemon/exchange/neighbours.hpp"

namespace imageswarm::coordinator {

/// What a neighbour gave, with the verdict on it.
struct NeighboursOffer {
  exchange::Copy copy;
  Result<Document> verdict;
};

/// What one look at a source brought.
struct Outcome {
  std::string etag;
  std::string bytes;                      ///< as received; empty where nothing new came
  std::optional<Error> unreachable;       ///< the source did not answer
  std::optional<Result<Document>> offer;  ///< the verdict on what it offered
  std::optional<Result<Document>> old;    ///< the verdict of today on what was accepted last, where that stays in use
  std::optional<NeighboursOffer> neighbours_offer;
};

/// All that fetching and verifying one document needs, as values that a job on the pool may keep.
struct Judge {
  trust::AnchorPolicy anchors;
  trust::Expectation expected;
  trust::Floors floors;
  trust::Time time;
  exchange::Neighbours& neighbours;

  /// Faults: those of trust::verify_….
  [[nodiscard]] Result<Document> verify(std::string_view bytes) const;
  /// Fetches what the source has now and verifies it where it is new; `old`, the version accepted last (or null), is
  /// verified again where it stays in use, since a CRL may have changed. Where the source has nothing new, neighbours
  /// may have. Blocks.
  Outcome look(std::string const& url, std::string const& etag, std::string const* old,
               std::stop_token const& stop) const;
  /// Asks the neighbours alone. Blocks.
  std::optional<NeighboursOffer> look_around(std::string const& url, std::stop_token const& stop) const;
};

/// Among neighbours. Whatever a query chooses is a document of its own; who fetches it does not matter, and a password
/// must not be there to be guessed from the digest.
exchange::Topic topic_of(document::Kind kind, std::string_view url);

}  // namespace imageswarm::coordinator
