#include "indexer/commands/edit.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "common/base/text.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::commands {
namespace {

/// "os-version, vo-tags": the keys of the entry in which the two differ.
std::string differences(document::Image const& before, document::Image const& after) {
  auto const text_of = [](yaml::Value const& entry, std::string const& key) {
    auto const* value = entry.find(key);
    return value ? yaml::write({yaml::Value::Map{{key, *value}}}) : std::string{};
  };
  auto const old_entry = document::to_value(before), new_entry = document::to_value(after);
  std::set<std::string> keys;
  for (auto const* entry : {&old_entry, &new_entry}) {
    for (auto const& member : entry->map()) keys.insert(member.key);
  }
  std::vector<std::string> changed;
  for (auto const& key : keys) {
    if (text_of(old_entry, key) != text_of(new_entry, key)) changed.push_back(key);
  }
  return join(changed, ", ");
}

}  // namespace

Result<> replace_entry(store::Item item, document::Image changed, std::string_view action, store::Store& store,
                       Context& context) {
  auto const keys = differences(item.image, changed);
  if (keys.empty()) {
    context.output.say("{} is like that already", item.label());
    context.output.result(to_json(item));
    return {};
  }
  bool const was_endorsed = item.state == store::State::endorsed;
  item.image = std::move(changed);
  item.state = store::State::managed;
  item.image.endorsed = {};
  item.endorsed_entry.reset();
  if (auto saved = save(store, item, action, keys, context.clock.now()); !saved) return saved;
  context.output.say("changed {} of {}", keys, item.label());
  if (was_endorsed) {
    context.output.say("its endorsement is taken back; endorse it again: imageswarm-index endorse '{}'", item.label());
  }
  context.output.result(to_json(item));
  return {};
}

Result<> edit(EditOptions const& options, store::Store& store, Context& context) {
  if (options.edits.empty()) return fail(Fault::usage, "name what to change: --description, --vo-tag, …");
  auto const found = store.find(options.image);
  if (!found) return fail(found.error());
  if ((*found)->state == store::State::withdrawn) {
    return fail(Fault::usage, "{} is withdrawn and cannot be changed any more", (*found)->label());
  }
  auto changed = edited((*found)->image, options.edits, context.clock.now());
  if (!changed) return fail(std::move(changed.error()));
  return replace_entry(**found, std::move(*changed), "edited", store, context);
}

}  // namespace imageswarm::commands
