#include "indexer/commands/approvals.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/trust/identity.hpp"
#include "common/yaml/value.hpp"
#include "indexer/commands/entry_json.hpp"
#include "indexer/commands/unsigned_list.hpp"

namespace imageswarm::commands {
namespace {

Result<document::Rule> rule_of(RuleOptions const& options) {
  yaml::Value::Map map;
  auto const put = [&](std::string key, std::string const& value) {
    if (!value.empty()) map.push_back({std::move(key), {value}});
  };
  put("endorser", options.endorser);
  put("issuer", options.issuer);
  put("uuid", options.uuid);
  put("image-id", options.image_id);
  put("name", options.name);
  put("vo-tag", options.vo_tag);
  put("all", options.all ? "true" : "");
  if (map.empty())
    return fail(Fault::usage, "say for what: --endorser, --issuer, --uuid, --image-id, --name, --vo-tag or --all");
  for (auto const& [option, name] :
       {std::pair{"--endorser", options.endorser}, std::pair{"--issuer", options.issuer}}) {
    if (name.empty()) continue;
    if (auto parsed = trust::DistinguishedName::parse(name); !parsed) {
      return fail(Fault::usage, "{}: {}", option, parsed.error().what);
    }
  }
  put("reason", options.reason);
  auto rule = document::rule_from({std::move(map)});
  if (!rule) return fail(Fault::usage, "{}", rule.error().what);
  return rule;
}

bool same(document::Rule a, document::Rule b) {
  a.reason = b.reason = {};
  return yaml::write(document::to_value(a)) == yaml::write(document::to_value(b));
}

/// Was it there?
bool take_out(std::vector<document::Rule>& rules, document::Rule const& rule) {
  return std::erase_if(rules, [&](document::Rule const& other) { return same(rule, other); }) > 0;
}

nlohmann::ordered_json to_json(document::ApprovalList const& list) {
  nlohmann::ordered_json json{{"name", list.header.name},
                              {"next-serial", list.header.serial},
                              {"approve", nlohmann::ordered_json::array()},
                              {"recall", nlohmann::ordered_json::array()}};
  for (auto const& rule : list.approve) json["approve"].push_back(entry_json(document::to_value(rule)));
  for (auto const& rule : list.recall) json["recall"].push_back(entry_json(document::to_value(rule)));
  return json;
}

}  // namespace

Result<> approvals_init(std::filesystem::path const& path, std::string const& name, Context& context) {
  auto header = new_list_header(document::Kind::approval_list, path, name, context.clock.now());
  if (!header) return fail(std::move(header.error()));
  document::ApprovalList list;
  list.header = std::move(*header);
  if (auto written = write_file_atomically(path, document::write(list)); !written) return written;
  context.output.say("made the approval list {} in {}; nothing is approved yet", name, printable(path.native()));
  context.output.result(to_json(list));
  return {};
}

Result<> approvals_change(std::filesystem::path const& path, Verdict verdict, RuleOptions const& options,
                          Context& context) {
  auto const rule = rule_of(options);
  if (!rule) return fail(rule.error());
  if (verdict == Verdict::recall && rule->reason.empty()) return fail(Fault::usage, "a recall needs its --reason");
  auto const lock = lock_list(path);
  if (!lock) return fail(lock.error());
  auto list = read_unsigned_list(path, document::parse_approval_list);
  if (!list) return fail(std::move(list.error()));
  bool const was_approved = take_out(list->approve, *rule);
  bool const was_recalled = take_out(list->recall, *rule);
  if (verdict == Verdict::remove && !was_approved && !was_recalled) {
    return fail(Fault::not_found, "no rule for {} in {}", rule->describe(), printable(path.native()));
  }
  if (verdict == Verdict::approve) list->approve.push_back(*rule);
  if (verdict == Verdict::recall) list->recall.push_back(*rule);
  if (auto written = write_file_atomically(path, document::write(*list)); !written) return written;
  auto const before = was_approved ? " (was approved)" : was_recalled ? " (was recalled)" : "";
  auto const done = verdict == Verdict::approve ? "approved" : verdict == Verdict::recall ? "recalled" : "removed";
  context.output.say("{}: {}{}", done, rule->describe(), before);
  context.output.say("next: imageswarm-index sign '{}' --certificate FILE --key FILE --output FILE",
                     printable(path.native()));
  context.output.result(to_json(*list));
  return {};
}

Result<> approvals_show(std::filesystem::path const& path, Context& context) {
  auto const list = read_unsigned_list(path, document::parse_approval_list);
  if (!list) return fail(list.error());
  context.output.result(to_json(*list));
  context.output.say("approval list {}, next serial {}", list->header.name, list->header.serial);
  for (auto const& rule : list->approve) context.output.say("  approve  {}", rule.describe());
  for (auto const& rule : list->recall) {
    context.output.say("  recall   {} ({})", rule.describe(), printable(rule.reason));
  }
  if (list->approve.empty() && list->recall.empty()) context.output.say("  no rules: nothing is approved");
  return {};
}

}  // namespace imageswarm::commands
