#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/signature.hpp"
#include "common/trust/verify.hpp"

namespace imageswarm::trust {

/// What somebody signed in an S/MIME message (RFC 8551), and who it was.
struct SignedText {
  std::string text;  ///< exactly what the signature covers, lines ending in CRLF
  Signature signature;
};

/// Verifies an S/MIME message, clear-signed (multipart/signed) or opaque (application/pkcs7-mime), by the rules for our
/// own documents (docs/security.md, "Signature" and "Chain"). The signature of a clear-signed part covers it with CRLF
/// line ends, whatever it has; what stands around the two parts is not looked at.
///
/// Blocks for disk and CPU. Faults: too-large, sig-missing (no signed S/MIME message), sig-invalid, and those of
/// `verify_signature`.
[[nodiscard]] Result<SignedText> verify_smime(std::string_view message, AnchorPolicy const& anchors, TimePoint now);

/// Every line end that is not CRLF made so: the form in which S/MIME signs text.
std::string with_crlf(std::string_view text);

/// The clear-signed message of `text` and a detached signature over `with_crlf(text)`; `micalg` names the digest as
/// RFC 8551 §3.5.3.2 does ("sha-256").
std::string write_smime(std::string_view text, std::span<std::byte const> der, std::string_view micalg);

}  // namespace imageswarm::trust
