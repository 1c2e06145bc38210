#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"

struct x509_st;

namespace imageswarm::trust {

/// Far more than a CA certificate needs.
inline constexpr ByteCount max_swarm_ca_size = 16_KiB;

/// The CA that says who may join the swarm of a private image (docs/security.md, "Private images").
///
/// Thread-safe.
class SwarmCa {
public:
  /// Exactly one certificate in PEM: a self-signed CA with a key as signers must have. Faults: certificate-unreadable,
  /// cert-purpose, alg-weak.
  [[nodiscard]] static Result<SwarmCa> read(std::string_view pem);

  /// The certificate alone, in the one form that a torrent may have.
  std::string const& pem() const { return pem_; }
  std::string const& name() const { return name_; }  ///< for messages
  /// Has its time begun and not ended? Faults: cert-expired, cert-not-yet-valid.
  [[nodiscard]] Result<> check_time(TimePoint now) const;

  /// May the holder of this certificate join the swarm of this image? The CA itself must have issued it, it holds now,
  /// it serves both ends of a TLS connection, and one of its DNS names is the image ID, letter by letter, or "*". The
  /// common name counts for nothing. libtorrent's own comparison stops at the end of the certificate's name, so that a
  /// single letter opens every image that begins with it. Fault: swarm-error.
  [[nodiscard]] Result<> admits(x509_st& certificate, std::string_view image_id, TimePoint now) const;

private:
  SwarmCa() = default;
  std::shared_ptr<x509_st> certificate_;
  std::string pem_, name_;
};

}  // namespace imageswarm::trust
