#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::commands {

/// Who must have signed by --subject and --issuer, both in RFC 2253 or slash form; nobody in particular if both are
/// empty. Fault: usage.
[[nodiscard]] Result<std::optional<trust::SignerPattern>> demanded_signer(std::string const& subject,
                                                                          std::string const& issuer);

}  // namespace imageswarm::commands
