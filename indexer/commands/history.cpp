#include "indexer/commands/history.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace imageswarm::commands {

Result<> history(std::string const& image, store::Store const& store, Context& context) {
  std::string image_id;
  if (!image.empty()) {
    auto const found = store.find(image);
    if (!found) return fail(found.error());
    image_id = (*found)->image.image_id.text();
  }
  auto const events = store::read_history(store.history());
  if (!events) return fail(events.error());
  auto json = nlohmann::ordered_json::array();
  for (auto const& event : *events) {
    if (!image_id.empty() && event.image_id != image_id) continue;
    json.push_back({{"at", format_time(event.at)},
                    {"who", event.who},
                    {"action", event.action},
                    {"image-id", event.image_id},
                    {"image", event.image},
                    {"note", event.note}});
    context.output.say("{}  {:<10}  {}{}{}  (by {})", format_time(event.at), event.action, printable(event.image),
                       event.image.empty() || event.note.empty() ? "" : ": ", printable(event.note, 1000),
                       printable(event.who));
  }
  context.output.result(json);
  return {};
}

}  // namespace imageswarm::commands
