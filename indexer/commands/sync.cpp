#include "indexer/commands/sync.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "common/document/endorser_list.hpp"
#include "common/trust/endorsers.hpp"
#include "common/trust/envelope.hpp"
#include "indexer/commands/entry_json.hpp"
#include "indexer/commands/seen_lists.hpp"
#include "indexer/commands/source.hpp"
#include "indexer/commands/unsigned_list.hpp"

namespace imageswarm::commands {
namespace {

/// The serial that was seen last may not go back.
trust::Floors floors_of(SeenLists const& seen, trust::ListId const& id, trust::SignerPattern const& signer) {
  auto const body = seen.bodies.find(id.url);
  if (body == seen.bodies.end()) return {};
  auto const list = trust::parse_plain_list(body->second);
  if (!list) return {};
  auto const name = trust::Signer{signer.subject, *signer.issuer, {}}.text();
  return {{{document::Kind::endorser_list, list->header.name, name},
           {list->header.epoch, list->header.serial, digest_of<Sha256>(body->second)}}};
}

/// The included lists as they are now.
class Origins {
public:
  Origins(SeenLists const& seen, trust::AnchorPolicy const& anchors, Context& context)
      : seen_{seen}, anchors_{anchors}, context_{context} {}

  trust::VerifiedEndorserList const* find(trust::ListId const& id) {
    if (auto const known = lists_.find(id); known != lists_.end()) return &known->second;
    if (failure_) return nullptr;
    context_.output.about(fmt::format("endorser-list {} ({})", id.document, printable(id.url)));
    auto list = look(id);
    if (!list) {
      failure_ = std::move(list.error());
      return nullptr;
    }
    return &lists_.emplace(id, std::move(*list)).first->second;
  }

  std::optional<Error> const& failure() const { return failure_; }
  std::map<trust::ListId, trust::VerifiedEndorserList> const& lists() const { return lists_; }
  std::map<std::string, std::string> const& bodies() const { return bodies_; }

private:
  Result<trust::VerifiedEndorserList> look(trust::ListId const& id) {
    auto const signer = trust::pattern_of(id.subject, id.issuer);
    if (!signer) return fail(signer.error());
    auto const bytes = read_source(id.url);
    if (!bytes) return fail(bytes.error());
    trust::Expectation expected;
    expected.kind = document::Kind::endorser_list;
    expected.signers = {*signer};
    expected.name = id.document;
    expected.epoch = 1;
    auto list =
        trust::verify_endorser_list(*bytes, anchors_, expected, floors_of(seen_, id, *signer), {context_.clock.now()});
    if (list) bodies_[id.url] = trust::open_envelope(*bytes)->body;
    return list;
  }

  SeenLists const& seen_;
  trust::AnchorPolicy const& anchors_;
  Context& context_;
  std::map<trust::ListId, trust::VerifiedEndorserList> lists_;
  std::map<std::string, std::string> bodies_;
  std::optional<Error> failure_;
};

/// What is new in one list, said and as JSON.
nlohmann::ordered_json tell_changes(std::string const& url, std::string const& now, std::string const& before,
                                    Context& context) {
  auto const list_of = [](std::string const& body) {
    return body.empty() ? document::EndorserList{} : trust::parse_plain_list(body).value_or(document::EndorserList{});
  };
  auto const list = list_of(now);
  auto const changes = trust::differences(list_of(before), list);
  if (now.empty()) {
    context.output.say("no longer included: {}", url);
  } else {
    context.output.say("list {} ({}): serial {}, valid until {}", list.header.name, url, list.header.serial,
                       format_time(list.header.expires));
  }
  for (auto const& change : changes) context.output.say("  {}", change);
  if (changes.empty()) context.output.say("  as before");
  return {{"list", url}, {"document", list.header.name}, {"serial", list.header.serial}, {"changes", changes}};
}

nlohmann::ordered_json tell_all_changes(SeenLists const& before, SeenLists const& now, Context& context) {
  auto json = nlohmann::ordered_json::array();
  for (auto const& [url, body] : now.bodies) {
    auto const known = before.bodies.find(url);
    json.push_back(tell_changes(url, body, known == before.bodies.end() ? "" : known->second, context));
  }
  for (auto const& [url, body] : before.bodies) {
    if (!now.bodies.contains(url)) json.push_back(tell_changes(url, "", body, context));
  }
  return json;
}

/// Those whom the list itself does not name.
std::vector<std::string> accepted_through_others(trust::Acceptance const& acceptance) {
  std::vector<std::string> lines;
  for (auto const& [endorser, ways] : acceptance.endorsers) {
    bool const own = std::ranges::any_of(ways, [](auto const& way) { return way->empty(); });
    if (!own) lines.push_back(fmt::format("{}, by {}", trust::describe(endorser), ways.front()->back().url));
  }
  return lines;
}

}  // namespace

Result<> endorsers_sync(std::filesystem::path const& path, trust::AnchorPolicy const& anchors, Context& context) {
  auto const list = read_unsigned_list(path, trust::parse_plain_list);
  if (!list) return fail(list.error());
  auto const before = read_seen_lists(path);
  if (!before) return fail(before.error());
  Origins origins{*before, anchors, context};
  auto const acceptance = trust::accepted_by(*list, "", [&](auto const& id) { return origins.find(id); });
  if (origins.failure()) return fail(*origins.failure());
  context.output.about(path.native());
  if (!acceptance.left_out.empty()) return fail(Fault::doc_field, "{}", join(acceptance.left_out, "; "));

  SeenLists const seen{context.clock.now(), includes_of(*list), origins.bodies(), accepted_through_others(acceptance)};
  auto const changes = tell_all_changes(*before, seen, context);
  context.output.say("accepted because of included lists: {}", seen.accepted.size());
  for (auto const& line : seen.accepted) context.output.say("  {}", line);
  if (auto kept = write_seen_lists(path, seen); !kept) return kept;
  context.output.result({{"name", list->header.name},
                         {"synchronised", format_time(*seen.at)},
                         {"lists", changes},
                         {"accepted", seen.accepted}});
  return {};
}

}  // namespace imageswarm::commands
