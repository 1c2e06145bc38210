#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/trust/verify.hpp"
#include "indexer/commands/context.hpp"
#include "indexer/exchange/simplestreams.hpp"

namespace imageswarm::commands {

struct ImportOptions {
  std::string source;  ///< FILE or URL
  std::string format;  ///< hepix, cern, simplestreams
  trust::AnchorPolicy anchors;
  std::string subject, issuer;    ///< who must have signed it; empty = anybody whom the anchors vouch for
  bool unsigned_list = false;     ///< cern: the person vouches for what nobody has signed
  std::filesystem::path keyring;  ///< of gpgv: who may have signed a mirror
  std::string mirror;             ///< root of a mirror; empty = what stands before streams/v1/
  std::string content_id;         ///< of those that an index names
  exchange::StreamFilter streams;
  std::filesystem::path content;    ///< directory that has the images' files already; empty = they are fetched
  std::vector<std::string> images;  ///< family UUIDs or names; empty without `all`: the list is only shown
  bool all = false;
  std::string compress = "none";
  std::string torrent = "v2";
};

/// Verifies a list of another format, shows it, and takes the chosen images into the store as *managed*, each after its
/// digest was compared. What fails is listed and the others go on.
/// Faults: usage, import-…, hash-mismatch, doc-…, serial-rollback, signer-not-listed, those of verification, of
/// fetching and of `add`.
[[nodiscard]] Result<> import_list(ImportOptions const& options, store::Store& store, Context& context);

}  // namespace imageswarm::commands
