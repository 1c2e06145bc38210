#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trust/swarm_ca.hpp"
#include "daemon/flow/settings.hpp"

namespace imageswarm::swarm {

/// What this host shows to the peers of a private image.
struct HostCertificate {
  std::string certificate, key;  ///< PEM; the key is never logged
  std::shared_ptr<x509_st> parsed;
  TimePoint expires;
  TimePoint renewal_due;  ///< a day before it expires, or when a quarter of its lifetime is left, if that is later
};

/// One pair of `swarm.ssl`, read now. Only the owner may have access to the key. Fault: swarm-error.
[[nodiscard]] Result<HostCertificate> load_host_certificate(flow::SslSettings const& files);

/// The certificates of `swarm.ssl`, as they were when they were last good: files that are just being replaced, of which
/// one does not fit the other, put nothing out of use.
class HostCertificates {
public:
  using Loaded = std::vector<std::pair<flow::SslSettings, Result<HostCertificate>>>;
  /// Reads the files.
  static Loaded load(std::vector<flow::SslSettings> const& files);

  /// From now on these. Logs what is new, what is wrong with a file, and what ought to be renewed by now.
  void take(Loaded loaded, TimePoint now);

  /// One that opens the swarm of this image. Fault: swarm-error, with the reason for each that does not.
  [[nodiscard]] Result<HostCertificate const*> choose(trust::SwarmCa const& ca, std::string_view image_id,
                                                      TimePoint now) const;

private:
  struct Slot {
    flow::SslSettings files;
    std::optional<HostCertificate> good;
    std::string trouble;    ///< with its files, as it was last logged; empty when there is none
    TimePoint next_notice;  ///< that it ought to be renewed
  };
  Slot take(Slot slot, Result<HostCertificate> loaded, TimePoint now) const;

  std::vector<Slot> slots_;
};

}  // namespace imageswarm::swarm
