#include "daemon/selection/rules.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace imageswarm::selection {
namespace {

std::optional<trust::DistinguishedName> parsed(std::optional<std::string> const& text, bool& usable) {
  if (!text) return std::nullopt;
  auto name = trust::DistinguishedName::parse(*text);
  usable = usable && name.has_value();
  return name ? std::optional{std::move(*name)} : std::nullopt;
}

bool has_a_key(document::Rule const& rule) {
  return rule.all || rule.endorser || rule.issuer || rule.uuid || rule.image_id || rule.name || rule.vo_tag ||
         rule.os_distro || rule.architecture;
}

template <class T>
bool fits(std::optional<T> const& wanted, T const& seen) {
  return !wanted || *wanted == seen;
}

}  // namespace

CompiledRule::CompiledRule(document::Rule rule)
    : rule_{std::move(rule)}, endorser_{parsed(rule_.endorser, usable_)}, issuer_{parsed(rule_.issuer, usable_)} {
  usable_ = usable_ && has_a_key(rule_);
}

bool CompiledRule::matches(document::Image const& image, trust::Signer const& endorser) const {
  return usable_ && fits(endorser_, endorser.subject) && fits(issuer_, endorser.issuer) &&
         fits(rule_.uuid, image.uuid) && fits(rule_.image_id, image.image_id) &&
         (!rule_.name || matches_glob(*rule_.name, image.name)) &&
         (!rule_.vo_tag || std::ranges::count(image.vo_tags, *rule_.vo_tag) > 0) &&
         fits(rule_.os_distro, image.os_distro) && fits(rule_.architecture, image.architecture);
}

std::vector<CompiledRule> compile(std::vector<document::Rule> const& rules) {
  std::vector<CompiledRule> compiled;
  compiled.reserve(rules.size());
  for (auto const& rule : rules) compiled.emplace_back(rule);
  return compiled;
}

}  // namespace imageswarm::selection
