#include "indexer/commands/endorsers.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/document/endorser_list.hpp"
#include "common/trust/endorsers.hpp"
#include "indexer/commands/entry_json.hpp"
#include "indexer/commands/seen_lists.hpp"
#include "indexer/commands/unsigned_list.hpp"

namespace imageswarm::commands {
namespace {

using document::EndorserList;

Result<EndorserList> read_list(std::filesystem::path const& path) {
  return read_unsigned_list(path, trust::parse_plain_list);
}

Error usage(Error error) {
  return {Fault::usage, std::move(error.what)};
}

Result<std::string> plain_name(std::string const& option, std::string const& name) {
  auto const parsed = trust::DistinguishedName::parse(name);
  if (!parsed) return fail(Fault::usage, "{}: {}", option, parsed.error().what);
  return parsed->text();
}

Result<> make_names_plain(yaml::Value::Map& keys) {
  for (auto& [key, value, line] : keys) {
    if (key != "subject" && key != "issuer") continue;
    auto name = plain_name("--" + key, value.text());
    if (!name) return fail(std::move(name.error()));
    value.node = std::move(*name);
  }
  return {};
}

std::string text_of(yaml::Value::Map const& keys, std::string_view key) {
  auto const found = std::ranges::find(keys, key, &yaml::Member::key);
  return found == keys.end() ? "" : found->value.text();
}

/// An entry with some of its keys set anew.
yaml::Value with(yaml::Value entry, yaml::Value::Map const& keys) {
  auto& map = std::get<yaml::Value::Map>(entry.node);
  for (auto const& member : keys) {
    std::erase_if(map, [&](auto const& other) { return other.key == member.key; });
    map.push_back(member);
  }
  return entry;
}

nlohmann::ordered_json to_json(EndorserList const& list) {
  nlohmann::ordered_json json{{"name", list.header.name},
                              {"next-serial", list.header.serial},
                              {"endorsers", nlohmann::ordered_json::array()},
                              {"includes", nlohmann::ordered_json::array()}};
  for (auto const& each : list.endorsers) json["endorsers"].push_back(entry_json(document::to_value(each)));
  for (auto const& each : list.includes) json["includes"].push_back(entry_json(document::to_value(each)));
  return json;
}

/// Writes the list, unless hosts would refuse it, and says what is new.
Result<> save(std::filesystem::path const& path, EndorserList const& before, EndorserList const& after,
              Context& context) {
  auto const text = document::write(after);
  if (auto good = trust::parse_plain_list(text); !good) return fail(usage(std::move(good.error())));
  if (auto written = write_file_atomically(path, text); !written) return written;
  auto const changes = trust::differences(before, after);
  for (auto const& change : changes) context.output.say("{}", change);
  if (changes.empty()) context.output.say("for hosts it is as before");
  if (before.includes != after.includes && !after.includes.empty()) {
    context.output.say("next: imageswarm-index endorsers sync --list '{}' --anchors DIR", printable(path.native()));
  } else {
    context.output.say("next: imageswarm-index sign '{}' --certificate FILE --key FILE --output FILE",
                       printable(path.native()));
  }
  context.output.result(to_json(after));
  return {};
}

}  // namespace

Result<> endorsers_init(std::filesystem::path const& path, std::string const& name, Context& context) {
  auto header = new_list_header(document::Kind::endorser_list, path, name, context.clock.now());
  if (!header) return fail(std::move(header.error()));
  EndorserList list;
  list.header = std::move(*header);
  if (auto written = write_file_atomically(path, document::write(list)); !written) return written;
  context.output.say("made the endorser list {} in {}; nobody is on it yet", name, printable(path.native()));
  context.output.result(to_json(list));
  return {};
}

Result<> endorsers_add(std::filesystem::path const& path, yaml::Value::Map keys, Context& context) {
  if (auto plain = make_names_plain(keys); !plain) return plain;
  auto const lock = lock_list(path);
  if (!lock) return fail(lock.error());
  auto const list = read_list(path);
  if (!list) return fail(list.error());
  auto changed = *list;
  auto const known = std::ranges::find_if(changed.endorsers, [&](auto const& each) {
    return each.subject == text_of(keys, "subject") && each.issuer == text_of(keys, "issuer") &&
           each.document == text_of(keys, "document");
  });
  bool const is_new = known == changed.endorsers.end();
  auto endorser =
      document::endorsement_from(with(is_new ? yaml::Value{yaml::Value::Map{}} : document::to_value(*known), keys));
  if (!endorser) return fail(usage(std::move(endorser.error())));
  *(is_new ? changed.endorsers.emplace(known) : known) = std::move(*endorser);
  return save(path, *list, changed, context);
}

Result<> endorsers_include(std::filesystem::path const& path, yaml::Value::Map keys, yaml::Value::List except,
                           Context& context) {
  auto plain = make_names_plain(keys);
  for (auto& exception : except) {
    if (plain) plain = make_names_plain(std::get<yaml::Value::Map>(exception.node));
  }
  if (!plain) return plain;
  if (!except.empty()) keys.push_back({"except", {std::move(except)}});
  auto inclusion = document::inclusion_from({std::move(keys)});
  if (!inclusion) return fail(usage(std::move(inclusion.error())));
  auto const lock = lock_list(path);
  if (!lock) return fail(lock.error());
  auto const list = read_list(path);
  if (!list) return fail(list.error());
  auto changed = *list;
  auto const known = std::ranges::find(changed.includes, inclusion->list, &document::Inclusion::list);
  *(known == changed.includes.end() ? changed.includes.emplace(known) : known) = std::move(*inclusion);
  return save(path, *list, changed, context);
}

Result<> endorsers_remove(std::filesystem::path const& path, Removal const& what, Context& context) {
  if (what.subject.empty() == what.url.empty()) return fail(Fault::usage, "say what: either --subject or --url");
  auto wanted = what;
  for (auto* name : {&wanted.subject, &wanted.issuer}) {
    if (name->empty()) continue;
    auto plain = plain_name(name == &wanted.subject ? "--subject" : "--issuer", *name);
    if (!plain) return fail(std::move(plain.error()));
    *name = std::move(*plain);
  }
  auto const lock = lock_list(path);
  if (!lock) return fail(lock.error());
  auto const list = read_list(path);
  if (!list) return fail(list.error());
  auto changed = *list;
  std::erase_if(changed.endorsers, [&](auto const& each) {
    return each.subject == wanted.subject && (wanted.issuer.empty() || each.issuer == wanted.issuer) &&
           (wanted.document.empty() || each.document == wanted.document);
  });
  std::erase_if(changed.includes, [&](auto const& each) { return each.list == wanted.url; });
  if (changed.endorsers == list->endorsers && changed.includes == list->includes) {
    return fail(Fault::not_found, "{} is not in {}", printable(wanted.subject + wanted.url), printable(path.native()));
  }
  return save(path, *list, changed, context);
}

Result<> endorsers_show(std::filesystem::path const& path, Context& context) {
  auto const list = read_list(path);
  if (!list) return fail(list.error());
  auto const seen = read_seen_lists(path);
  if (!seen) return fail(seen.error());
  auto& output = context.output;
  output.say("endorser list {}, next serial {}", list->header.name, list->header.serial);
  for (auto const& line : trust::differences({}, *list)) output.say("  {}", line.substr(line.find(' ') + 1));
  if (list->endorsers.empty() && list->includes.empty()) output.say("  nobody is on it");
  auto json = to_json(*list);
  json["synchronised"] = seen->at ? nlohmann::ordered_json(format_time(*seen->at)) : nullptr;
  json["synchronised-as-it-is"] = seen->covers(*list);
  json["accepted"] = seen->accepted;
  if (seen->at) {
    output.say("synchronised {}: {} included lists, {} accepted because of them", format_time(*seen->at),
               seen->bodies.size(), seen->accepted.size());
    for (auto const& line : seen->accepted) output.say("  {}", line);
  }
  if (!seen->covers(*list)) output.say("the included lists have not been synchronised as they stand here");
  output.result(json);
  return {};
}

}  // namespace imageswarm::commands
