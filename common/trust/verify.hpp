#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::trust {

enum class Requirement : std::uint8_t { require, if_present, off };

/// Where trust begins; installed by the operator, never fetched.
struct AnchorPolicy {
  std::filesystem::path anchors;  ///< directory of hashed CAs and CRLs (HASH.0, HASH.r0), or one PEM file with both
  Requirement crl = Requirement::require;
  /// What a CA may sign: its .namespaces or .signing_policy beside HASH.0.
  Requirement namespaces = Requirement::if_present;
};

/// Identity of a document across its versions; serial floors are kept for it.
struct DocumentKey {
  document::Kind kind{};
  std::string name;
  std::string signer;  ///< Signer::text()
  auto operator<=>(DocumentKey const&) const = default;
};

/// The version that was last accepted of one document.
struct Floor {
  std::uint64_t epoch = 1;
  std::uint64_t serial = 0;
  Sha256 digest;  ///< of the signed bytes
};
using Floors = std::map<DocumentKey, Floor>;

/// What a subscription demands of the document that it fetches.
struct Expectation {
  document::Kind kind{};
  std::vector<SignerPattern> signers;  ///< who may sign; `any_signer` for a look from outside
  bool any_signer = false;             ///< only `imageswarm-index verify` without --subject sets it
  /// Who may sign other documents, told apart from strangers; null = nobody. Shared: a host may know thousands.
  std::shared_ptr<std::vector<SignerPattern> const> elsewhere;
  std::optional<std::string> name;
  std::optional<std::uint64_t> epoch;  ///< a daemon always demands one; nothing = any
};

/// "Now" and what the clock may not fall behind: the latest `issued` or time of day that this host has accepted.
struct Time {
  TimePoint now;
  TimePoint floor = build_time();
};

/// Where a verified document came from, for receipts and messages.
struct Origin {
  Signer signer;
  TimePoint signing_time;  ///< a claim of the signer, never used as a clock
  Sha256 digest;           ///< of the whole document as received
  Sha256 signed_digest;    ///< of the bytes that the signature covers
};

/// A document that has passed every check of docs/security.md; only verification makes one.
template <class T>
class Verified {
public:
  T const& content() const { return content_; }
  Origin const& origin() const { return origin_; }
  DocumentKey key() const { return {content_.header.kind, content_.header.name, origin_.signer.text()}; }
  Floor floor() const { return {content_.header.epoch, content_.header.serial, origin_.signed_digest}; }

private:
  friend struct Verification;
  Verified(T content, Origin origin) : content_{std::move(content)}, origin_{std::move(origin)} {}
  T content_;
  Origin origin_;
};

using VerifiedCatalogue = Verified<document::Catalogue>;
using VerifiedApprovalList = Verified<document::ApprovalList>;
using VerifiedEndorserList = Verified<document::EndorserList>;

/// Checks a document in the order of docs/security.md: signature, chain and revocation, signer, strict YAML, kind,
/// format, name, epoch, times, serial floor, equivocation, every field.
///
/// The anchors are read afresh each time, so a replaced CRL counts at once. Thread-safe; blocks for disk and CPU: call
/// it on the pool. Every failure is of class refused; nothing is changed by a call.
[[nodiscard]] Result<VerifiedCatalogue> verify_catalogue(std::string_view bytes, AnchorPolicy const& anchors,
                                                         Expectation const& expected, Floors const& floors,
                                                         Time const& time);
[[nodiscard]] Result<VerifiedApprovalList> verify_approval_list(std::string_view bytes, AnchorPolicy const& anchors,
                                                                Expectation const& expected, Floors const& floors,
                                                                Time const& time);
[[nodiscard]] Result<VerifiedEndorserList> verify_endorser_list(std::string_view bytes, AnchorPolicy const& anchors,
                                                                Expectation const& expected, Floors const& floors,
                                                                Time const& time);

/// The kind that an unverified document claims in its first lines; only to choose which of the above to call.
/// Fault: kind-mismatch.
[[nodiscard]] Result<document::Kind> claimed_kind(std::string_view bytes);

}  // namespace imageswarm::trust
