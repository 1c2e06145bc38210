#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/openssl.hpp"
#include "common/trust/verify.hpp"

namespace imageswarm::trust {

/// The operator's anchors and CRLs with the rules for chains (docs/security.md, "Chain"), for one verification: a store
/// that has loaded a CRL never sees the file that replaced it.
class AnchorStore {
public:
  /// Chains are judged at `now`. Fault: anchors-unreadable.
  [[nodiscard]] static Result<AnchorStore> open(AnchorPolicy const& policy, TimePoint now);

  X509_STORE* get() const { return store_.get(); }
  /// Why the last chain was refused, if one was.
  std::optional<Error> const& problem() const { return judge_->problem; }
  /// The last chain whose signatures were all good, the leaf first.
  std::vector<CertificatePtr> const& chain() const { return judge_->chain; }

  /// What OpenSSL's callback is given; public for it alone.
  struct Judge {
    Requirement crl;
    std::optional<Error> problem;
    std::vector<CertificatePtr> chain;
  };

private:
  AnchorStore(StorePtr store, std::unique_ptr<Judge> judge) : judge_{std::move(judge)}, store_{std::move(store)} {}
  std::unique_ptr<Judge> judge_;  ///< the store points to it
  StorePtr store_;
};

}  // namespace imageswarm::trust
