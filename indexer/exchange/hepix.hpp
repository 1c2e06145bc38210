#pragma once

#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/verify.hpp"
#include "indexer/exchange/foreign.hpp"

namespace imageswarm::exchange {

/// The list of a HEPiX S/MIME message, checked in the order of the reference subscriber as far as that needs no memory:
/// signature and chain, the signer that is demanded, JSON, `hv:dn` and `hv:ca` against the certificate, created,
/// expires. An image that lacks what is needed is skipped; keys that are not known here are passed over.
///
/// Blocks for disk and CPU. Faults: sig-…, alg-weak, chain-untrusted, cert-…, crl-…, signer-not-listed, import-format,
/// import-field, doc-future, doc-expired, too-large.
[[nodiscard]] Result<ForeignList> read_hepix(std::string_view message, trust::AnchorPolicy const& anchors,
                                             std::optional<trust::SignerPattern> const& demanded, TimePoint now);

/// The payload alone, as `signer` has signed it.
[[nodiscard]] Result<ForeignList> parse_hepix(std::string_view json, trust::Signer const& signer, TimePoint now);

}  // namespace imageswarm::exchange
