#pragma once

#include <string>

#include "common/trust/verify.hpp"
#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

struct VerifyOptions {
  std::string source;  ///< a file, or an http or https URL
  trust::AnchorPolicy anchors;
  std::string subject;  ///< empty = anybody whom the anchors vouch for
  std::string issuer;
};

/// Verifies any signed document as a host does and says who signed it and until when it holds.
/// Faults: usage, those of trust::verify_…, http-…, disk faults.
[[nodiscard]] Result<> verify(VerifyOptions const& options, Context& context);

}  // namespace imageswarm::commands
