#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::exchange {

/// A text that somebody signed whose key is in the operator's keyring.
struct OpenPgpText {
  std::string text;
  std::string signer;  ///< fingerprint of the primary key, in upper-case hex
};

/// Verifies a clear-signed message by `gpgv`; the text is what gpgv has written out, with dash-escaping undone.
/// Exactly one signature, of SHA-256 or better. Blocks. Faults: sig-missing, sig-invalid, alg-weak, signer-not-listed
/// (no such key in the keyring), cert-expired, cert-revoked, too-large, child-failed, timeout.
[[nodiscard]] Result<OpenPgpText> verify_clear_signed(std::string_view message, std::filesystem::path const& keyring);

/// The same for a text and its detached signature.
[[nodiscard]] Result<OpenPgpText> verify_detached(std::string text, std::string_view signature,
                                                  std::filesystem::path const& keyring);

}  // namespace imageswarm::exchange
