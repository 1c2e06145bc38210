#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/document/members.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

Result<bool> only_true(yaml::Value const& value) {
  auto read = boolean(value);
  if (read && !*read) return fail(Fault::doc_field, "only 'true' has a meaning");
  return read;
}

bool has_condition(Rule const& rule) {
  return rule.all || rule.endorser || rule.issuer || rule.uuid || rule.image_id || rule.name || rule.vo_tag ||
         rule.os_distro || rule.architecture;
}

}  // namespace

Result<Rule> rule_from(yaml::Value const& value) {
  Rule rule;
  Fields fields{value};
  fields.optional("endorser", rule.endorser, text);
  fields.optional("issuer", rule.issuer, text);
  fields.optional("uuid", rule.uuid, scalar(Uuid::parse));
  fields.optional("image-id", rule.image_id, scalar(Uuid::parse));
  fields.optional("name", rule.name, line);
  fields.optional("vo-tag", rule.vo_tag, line);
  fields.optional("os-distro", rule.os_distro, line);
  fields.optional("architecture", rule.architecture, line);
  fields.optional("all", rule.all, only_true);
  fields.optional("reason", rule.reason, text);
  if (auto read = fields.outcome(); !read) return fail(std::move(read.error()));
  // All keys must match, so a rule with a key that we cannot judge would match more than its author meant.
  for (auto const& member : fields.rest()) {
    return fail(field_error(member.line, fmt::format("a rule has no key '{}'", printable(member.key))));
  }
  if (!has_condition(rule)) {
    return fail(field_error(value.line, "the rule names nothing; write 'all: true' to mean everything"));
  }
  return rule;
}

yaml::Value to_value(Rule const& rule) {
  Members members;
  members.add("endorser", rule.endorser.value_or(""));
  members.add("issuer", rule.issuer.value_or(""));
  if (rule.uuid) members.add("uuid", rule.uuid->text());
  if (rule.image_id) members.add("image-id", rule.image_id->text());
  members.add("name", rule.name.value_or(""));
  members.add("vo-tag", rule.vo_tag.value_or(""));
  members.add("os-distro", rule.os_distro.value_or(""));
  members.add("architecture", rule.architecture.value_or(""));
  if (rule.all) members.add("all", true);
  members.add("reason", rule.reason);
  return {std::move(members).map()};
}

std::string Rule::describe() const {
  std::vector<std::string> parts;
  auto const say = [&](std::string_view what, std::optional<std::string> const& value, std::string_view quote) {
    if (value) parts.push_back(fmt::format("{} {}{}{}", what, quote, printable(*value), quote));
  };
  say("endorser", endorser, "");
  say("issuer", issuer, "");
  if (uuid) parts.push_back("family " + uuid->text());
  if (image_id) parts.push_back("image " + image_id->text());
  say("name", name, "'");
  say("VO tag", vo_tag, "'");
  say("OS", os_distro, "'");
  say("architecture", architecture, "'");
  return parts.empty() ? "everything" : join(parts, ", ");
}

}  // namespace imageswarm::document
