#pragma once

#include <span>

#include "common/base/result.hpp"

namespace imageswarm::trust {

/// The outer form of a detached CMS signature with one signer (RFC 5652 §5), checked byte by byte where neither the
/// signature nor OpenSSL looks: versions, the announced digests, the absence of content and of a second signer.
/// Fault: sig-invalid.
[[nodiscard]] Result<> check_cms_form(std::span<std::uint8_t const> der);

}  // namespace imageswarm::trust
