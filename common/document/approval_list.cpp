#include "common/document/fields.hpp"
#include "common/document/header.hpp"
#include "common/document/members.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

Result<std::vector<Rule>> rules_from(yaml::Value const& value) {
  if (!value.is_list()) return fail(Fault::doc_field, "it is not a list");
  std::vector<Rule> rules;
  for (auto const& each : value.list()) {
    auto rule = rule_from(each);
    if (!rule) return fail(std::move(rule.error()));
    if (rule->os_distro || rule->architecture) {
      return fail(Fault::doc_field, "line {}: os-distro and architecture are for a host's `select` only", each.line);
    }
    rules.push_back(std::move(*rule));
  }
  return rules;
}

yaml::Value to_value(std::vector<Rule> const& rules) {
  yaml::Value::List items;
  for (auto const& rule : rules) items.push_back(to_value(rule));
  return {std::move(items)};
}

}  // namespace

Result<ApprovalList> parse_approval_list(std::string_view body) {
  auto const top = yaml::parse(body);
  if (!top) return fail(top.error());
  ApprovalList list;
  Fields fields{*top};
  auto header = read_header(*top, fields, Kind::approval_list);
  if (!header) return fail(std::move(header.error()));
  list.header = *header;
  fields.optional("approve", list.approve, rules_from);
  fields.optional("recall", list.recall, rules_from);
  list.extra = fields.rest();
  return fields.outcome().map([&] { return std::move(list); });
}

std::string write(ApprovalList const& list) {
  Members members{members_of(list.header)};
  members.put("approve", to_value(list.approve));
  members.put("recall", to_value(list.recall));
  members.add(list.extra);
  return yaml::write({std::move(members).map()});
}

}  // namespace imageswarm::document
