#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::commands {

bool is_url(std::string_view source);

/// For people and for what is remembered: a URL without credentials and query, a path as it is.
std::string shown_source(std::string const& source);

/// The bytes of a document, from a file or an http(s) URL. Faults: http-…, too-large, disk faults.
[[nodiscard]] Result<std::string> read_source(std::string const& source);

}  // namespace imageswarm::commands
