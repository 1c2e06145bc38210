#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace imageswarm::trust {

/// A distinguished name as a list of (OID, value) pairs, most significant first.
///
/// Two names are equal when they have the same pairs in the same order, byte for byte in UTF-8; nothing is folded
/// (docs/security.md, "Who signed").
class DistinguishedName {
public:
  struct Part {
    std::string oid;    ///< dotted
    std::string value;  ///< UTF-8
    bool operator==(Part const&) const = default;
  };

  /// RFC 2253 ("CN=Ada,O=Example") or slash form ("/O=Example/CN=Ada"). Fault: config-value.
  [[nodiscard]] static Result<DistinguishedName> parse(std::string_view text);
  explicit DistinguishedName(std::vector<Part> parts) : parts_{std::move(parts)} {}
  DistinguishedName() = default;

  bool operator==(DistinguishedName const&) const = default;
  std::vector<Part> const& parts() const { return parts_; }
  std::string text() const;  ///< RFC 2253, which `parse` reads back

private:
  std::vector<Part> parts_;
};

/// Who signed: the leaf certificate that the signature itself names.
struct Signer {
  DistinguishedName subject;
  DistinguishedName issuer;
  TimePoint certificate_expires;
  bool same_identity(Signer const& other) const { return subject == other.subject && issuer == other.issuer; }
  /// The issuer too, for messages and as a key in state: "CN=Ada,O=Example (issuer CN=CA,O=Example)".
  std::string text() const { return subject.text() + " (issuer " + issuer.text() + ")"; }
};

/// Whom the configuration or a list allows to sign; without an issuer any trusted CA may vouch for the subject.
struct SignerPattern {
  DistinguishedName subject;
  std::optional<DistinguishedName> issuer;
  bool operator==(SignerPattern const&) const = default;
  bool matches(Signer const& signer) const {
    return subject == signer.subject && (!issuer || *issuer == signer.issuer);
  }
};

}  // namespace imageswarm::trust
