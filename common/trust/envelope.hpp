#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::trust {

/// Largest signature block we decode: a leaf and its intermediates with RSA-4096 keys need about 10 KiB, and a bag of
/// thousands of certificates would keep the chain builder busy.
inline constexpr ByteCount max_signature_block = 64_KiB;

/// A signed document, taken apart and not yet verified (docs/formats.md §2).
struct Envelope {
  std::string_view body;                ///< what is signed: every byte before the line `x509-signature: |`
  std::vector<std::uint8_t> signature;  ///< DER
};

/// Nothing but its block and blank lines may follow the one signature line, so no byte can hide outside of both.
/// `document` must outlive the result. Faults: too-large, sig-missing, doc-signature-block.
[[nodiscard]] Result<Envelope> open_envelope(std::string_view document);

/// The document that `open_envelope` takes apart. Fault: doc-signature-block (`body` does not end in LF, or has a
/// signature line of its own).
[[nodiscard]] Result<std::string> seal_envelope(std::string_view body, std::span<std::byte const> signature);

}  // namespace imageswarm::trust
