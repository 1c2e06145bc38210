#include "indexer/commands/signing.hpp"

#include "common/base/log.hpp"
#include "indexer/commands/publish.hpp"

namespace imageswarm::commands {

Result<trust::SigningIdentity> load_identity(std::string const& certificate, std::string const& key,
                                             std::chrono::seconds lifetime, TimePoint now) {
  if (lifetime > longest_lifetime) return fail(Fault::usage, "--lifetime: 90d is the longest");
  if (lifetime.count() <= 0) return fail(Fault::usage, "--lifetime: it must be longer than nothing");
  auto identity = trust::SigningIdentity::load(certificate, key, now);
  if (identity && identity->signer().certificate_expires < now + lifetime) {
    log_warning("the certificate expires {}, before the document: hosts will refuse it from then on",
                format_time(identity->signer().certificate_expires));
  }
  return identity;
}

}  // namespace imageswarm::commands
