#include "indexer/commands/demanded_signer.hpp"

namespace imageswarm::commands {

Result<std::optional<trust::SignerPattern>> demanded_signer(std::string const& subject, std::string const& issuer) {
  if (subject.empty() && issuer.empty()) return std::optional<trust::SignerPattern>{};
  if (subject.empty()) return fail(Fault::usage, "--issuer goes with --subject");
  auto const name = trust::DistinguishedName::parse(subject);
  if (!name) return fail(Fault::usage, "--subject: {}", name.error().what);
  trust::SignerPattern pattern{*name, {}};
  if (!issuer.empty()) {
    auto const authority = trust::DistinguishedName::parse(issuer);
    if (!authority) return fail(Fault::usage, "--issuer: {}", authority.error().what);
    pattern.issuer = *authority;
  }
  return pattern;
}

}  // namespace imageswarm::commands
