#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::trust {

/// A certificate with its intermediates and its private key, ready to sign. Not thread-safe.
class SigningIdentity {
public:
  /// PEM files or PKCS#11 URIs (token.hpp); the certificate's file may hold intermediates after the leaf. The
  /// passphrase of an encrypted key and the PIN of a token are asked on the terminal, never taken from the command
  /// line. What hosts would refuse is refused here. Faults: certificate-unreadable, key-unreadable, key-mismatch,
  /// alg-weak, cert-expired, cert-not-yet-valid, cert-purpose, signer-not-listed (a name that has no safe comparison).
  [[nodiscard]] static Result<SigningIdentity> load(std::string const& certificate, std::string const& key,
                                                    TimePoint now);
  SigningIdentity(SigningIdentity&&) noexcept;
  SigningIdentity& operator=(SigningIdentity&&) noexcept;
  ~SigningIdentity();

  Signer const& signer() const;

  /// The whole document: `body` (which ends in LF) followed by its `x509-signature:` block (docs/formats.md §2).
  [[nodiscard]] Result<std::string> sign(std::string_view body) const;
  /// `text` as a clear-signed S/MIME message (common/trust/smime.hpp).
  [[nodiscard]] Result<std::string> sign_smime(std::string_view text) const;

private:
  struct Impl;
  explicit SigningIdentity(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imageswarm::trust
