#pragma once

#include <chrono>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/sign.hpp"

namespace imageswarm::commands {

/// The identity that signs a document of this lifetime, from files or a token. Warns when its certificate ends before
/// the document. Faults: usage, certificate-unreadable, key-unreadable, key-mismatch, alg-weak, cert-expired,
/// cert-purpose.
[[nodiscard]] Result<trust::SigningIdentity> load_identity(std::string const& certificate, std::string const& key,
                                                           std::chrono::seconds lifetime, TimePoint now);

}  // namespace imageswarm::commands
