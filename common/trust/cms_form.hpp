#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::trust {

/// The outer form of a detached CMS signature with one signer (RFC 5652 §5), checked byte by byte where neither the
/// signature nor OpenSSL looks: versions, the announced digests, the absence of content and of a second signer.
/// Gives the bytes of `signerInfos`, a view into `der`. Fault: sig-invalid.
[[nodiscard]] Result<std::string_view> check_cms_form(std::span<std::uint8_t const> der);

}  // namespace imageswarm::trust
