#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/document/header.hpp"
#include "common/document/members.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

Result<Rule> rule_of_list(yaml::Value const& value) {
  auto rule = rule_from(value);
  if (rule && (rule->os_distro || rule->architecture)) {
    return fail(Fault::doc_field, "line {}: os-distro and architecture are for a host's `select` only", value.line);
  }
  return rule;
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
  fields.optional("approve", list.approve, list_of(rule_of_list));
  fields.optional("recall", list.recall, list_of(rule_of_list));
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
