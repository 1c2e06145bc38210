#pragma once

#include <span>

#include "common/base/result.hpp"
#include "common/trust/openssl.hpp"
#include "common/trust/verify.hpp"

namespace imageswarm::trust {

/// Was every CA of this chain allowed to sign what it signed, by its `.namespaces` or else its `.signing_policy`
/// (docs/security.md, "What a CA may sign")? `chain` is a verified one, the leaf first.
///
/// Reads the files afresh. Fault: ca-namespace, also when a file that binds a CA of the chain is not understood.
[[nodiscard]] Result<> check_namespaces(std::span<CertificatePtr const> chain, AnchorPolicy const& policy);

}  // namespace imageswarm::trust
