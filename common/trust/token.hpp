#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/trust/openssl.hpp"

namespace imageswarm::trust {

/// A private key to sign with. One that stays in its token needs the session with it.
struct PrivateKey {
  std::shared_ptr<void> session;
  KeyPtr key;
};

/// Does this name an object in a token (a PKCS#11 URI, RFC 7512) rather than a file?
bool is_token_uri(std::string_view name);

/// For messages: a token's URI without what tells its PIN or where that is; the name of a file as it is.
std::string shown_token_uri(std::string_view name);

/// The private key that a PKCS#11 URI names; OpenSSL's engine for PKCS#11 and the token's module are needed.
///
/// The PIN is asked on the terminal without echo, or read from the file that `pin-source=file:PATH` names, and tried
/// once. `module-path=PATH` names the module; otherwise p11-kit knows it. Fault: key-unreadable, also for a
/// `pin-value`.
[[nodiscard]] Result<PrivateKey> load_token_key(std::string_view uri);

/// The certificate that a PKCS#11 URI names. Fault: certificate-unreadable; otherwise as above.
[[nodiscard]] Result<CertificatePtr> load_token_certificate(std::string_view uri);

}  // namespace imageswarm::trust
