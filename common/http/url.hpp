#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::http {

/// What the rules for redirects look at; both in lower case.
struct Origin {
  std::string scheme;
  std::string host;
};

/// Faults: http-scheme (neither http nor https, or not a URL at all).
[[nodiscard]] Result<Origin> origin_of(std::string_view url);

}  // namespace imageswarm::http
