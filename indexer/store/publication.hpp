#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "indexer/store/store.hpp"

namespace imageswarm::store {

/// What `public/` shall show from now on.
struct Publication {
  std::uint64_t serial = 0;
  std::string catalogue;                ///< the signed document
  std::string page;                     ///< catalogue.html
  std::vector<document::Image> images;  ///< those that the catalogue lists
};

/// Brings `public/` to this state (docs/formats.md, "The publication directory").
///
/// Whoever reads meanwhile finds the old catalogue or the new one, and every file that it names: what is new is added
/// first, everything is written under hidden names, then catalogue.yaml takes its place by one rename, and only then do
/// the files of withdrawn images go. The artefact of a private image is not put up: its hosts get it in the swarm, from
/// those that have a certificate. Stopped at any point, the next call completes it.
[[nodiscard]] Result<> put_up(Store const& store, Publication const& publication);

/// One line per info-hash, 40 hex digits: the access.whitelist of opentracker. Of a v2 hash the first 20 bytes count
/// (BEP 52); a hybrid torrent has both. One is where hosts meet to exchange documents.
std::string tracker_whitelist(std::vector<document::Image> const& images);

}  // namespace imageswarm::store
