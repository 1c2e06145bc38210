#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/identity.hpp"
#include "common/trust/verify.hpp"

namespace imageswarm::trust {

/// What a good signature says.
struct Signature {
  Signer signer;
  TimePoint signing_time;  ///< a claim
};

/// Checks that `der` is a CMS signature over exactly `body` by somebody whose chain ends at the operator's anchors
/// (docs/security.md, "Signature" and "Chain"). Who it is still has to be compared with who may sign.
///
/// Blocks for disk and CPU. Faults: sig-invalid, alg-weak, chain-untrusted, cert-…, crl-…, ca-namespace,
/// anchors-unreadable, signer-not-listed (a name that has no safe comparison).
[[nodiscard]] Result<Signature> verify_signature(std::string_view body, std::span<std::uint8_t const> der,
                                                 AnchorPolicy const& anchors, TimePoint now);

}  // namespace imageswarm::trust
