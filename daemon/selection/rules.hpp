#pragma once

#include <optional>
#include <vector>

#include "common/document/model.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::selection {

/// A rule of an approval list or of `select`, with its names parsed once. All keys that are there must match; a rule
/// whose names cannot be parsed, or that has no key at all, matches nothing.
class CompiledRule {
public:
  explicit CompiledRule(document::Rule rule);
  bool matches(document::Image const& image, trust::Signer const& endorser) const;
  document::Rule const& rule() const { return rule_; }

private:
  document::Rule rule_;
  bool usable_ = true;  // before the names, whose parsing may clear it
  std::optional<trust::DistinguishedName> endorser_, issuer_;
};

std::vector<CompiledRule> compile(std::vector<document::Rule> const& rules);

}  // namespace imageswarm::selection
