#include <chrono>
#include <utility>

#include "daemon/swarm/impl.hpp"
#include "daemon/swarm/membership.hpp"

// Which of this host's certificates opens which private image, as time passes and files are replaced.

namespace imageswarm::swarm {
namespace {

constexpr std::chrono::seconds renewal_interval{5};

}  // namespace

/// The certificate that opens the image's swarm now; says so when there is none any more, and when there is one again.
void Swarm::Impl::certify(Entry& entry) {
  auto const ours = certificates_.choose(*entry.swarm_ca, entry.info->name(), SystemClock{}.now());
  if (!ours) {
    if (!entry.lapsed) tell(entry, Event::Kind::stalled, ours.error());
    entry.lapsed = true;
    return;
  }
  if (std::exchange(entry.lapsed, false)) tell(entry, Event::Kind::recovered);
  if (entry.certificate == (*ours)->certificate) return;
  entry.certificate = (*ours)->certificate;
  entry.handle.set_ssl_certificate_buffer(entry.certificate, (*ours)->key, dh_parameters);
}

void Swarm::Impl::take_certificates(HostCertificates::Loaded loaded) {
  certificates_.take(std::move(loaded), SystemClock{}.now());
  for (auto& [id, entry] : entries_) {
    if (entry.swarm_ca) certify(entry);
  }
}

/// The files are read every few seconds: less work than to watch them, whatever replaces them and by whatever links.
void Swarm::Impl::renew_certificates(Instant now) {
  if (now < next_renewal_) return;
  next_renewal_ = now + renewal_interval;
  std::vector<flow::SslSettings> files;
  {
    std::lock_guard const lock{mutex_};
    files = settings_.ssl;
  }
  if (files.empty()) return;
  auto loaded = HostCertificates::load(files);
  std::lock_guard const lock{mutex_};
  if (files == settings_.ssl) take_certificates(std::move(loaded));
}

}  // namespace imageswarm::swarm
