#pragma once

#include <string>

#include "common/base/result.hpp"

namespace imageswarm::commands {

/// The bytes of a document, from a file or an http(s) URL. Faults: http-…, too-large, disk faults.
[[nodiscard]] Result<std::string> read_source(std::string const& source);

}  // namespace imageswarm::commands
