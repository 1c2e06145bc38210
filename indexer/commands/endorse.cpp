#include "indexer/commands/endorse.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {
namespace {

/// The images that are meant and not endorsed yet, each once.
Result<std::vector<store::Item>> meant(EndorseOptions const& options, store::Store const& store) {
  std::vector<store::Item> items;
  if (options.all) {
    std::copy_if(store.items().begin(), store.items().end(), std::back_inserter(items),
                 [](store::Item const& item) { return item.state == store::State::managed; });
    return items;
  }
  for (auto const& name : options.images) {
    auto const found = store.find(name);
    if (!found) return fail(found.error());
    auto const& item = **found;
    if (item.state == store::State::withdrawn) return fail(Fault::usage, "{} is withdrawn", item.label());
    bool const there = std::any_of(items.begin(), items.end(),
                                   [&](auto const& other) { return other.image.image_id == item.image.image_id; });
    if (item.state == store::State::managed && !there) items.push_back(item);
  }
  return items;
}

}  // namespace

Result<> endorse(EndorseOptions const& options, store::Store& store, Context& context) {
  if (options.images.empty() != options.all) return fail(Fault::usage, "name the images to endorse, or say --all");
  if (!options.yes && !options.ask) {
    return fail(Fault::usage, "there is no terminal to ask on; say --yes if you have seen what you endorse");
  }
  auto items = meant(options, store);
  if (!items) return fail(std::move(items.error()));
  auto json = nlohmann::ordered_json::array();
  if (items->empty()) {
    context.output.say("nothing to endorse: all of it is endorsed already");
    context.output.result(json);
    return {};
  }
  auto const now = context.clock.now();
  for (auto& item : *items) {
    item.image.endorsed = now;
    item.state = store::State::endorsed;
    auto const entry = store::entry_text(item.image);
    item.endorsed_entry = digest_of<Sha256>(entry);
    context.output.say("# {}", item.label());
    context.output.words(entry + "\n");
  }
  if (!options.yes) {
    auto const question = fmt::format("Endorse {} as shown?", items->size() == 1 ? "this image" : "these images");
    if (!options.ask(question)) return fail(Fault::cancelled, "nothing was endorsed");
  }
  for (auto const& item : *items) {
    if (auto saved = save(store, item, "endorsed", "", now); !saved) return saved;
    context.output.say("endorsed {}", item.label());
    json.push_back(to_json(item));
  }
  context.output.say("next: imageswarm-index publish --certificate FILE --key FILE");
  context.output.result(json);
  return {};
}

}  // namespace imageswarm::commands
