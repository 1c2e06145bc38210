#include "indexer/commands/withdraw.hpp"

#include <nlohmann/json.hpp>

#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> forget(store::Item const& item, std::string const& reason, store::Store& store, Context& context) {
  auto const image_id = item.image.image_id;
  if (auto gone = store.forget(image_id); !gone) return fail(std::move(gone.error()));
  auto noted = note(store, "removed", reason, context.clock.now(), image_id.text(), item.label());
  if (!noted) return fail(std::move(noted.error()));
  context.output.say("{} was never published: it is out of the store", item.label());
  auto json = to_json(item);
  json["state"] = nullptr;
  return json;
}

}  // namespace

Result<> withdraw(WithdrawOptions const& options, store::Store& store, Context& context) {
  auto const found = store.find(options.image);
  if (!found) return fail(found.error());
  auto const& item = **found;
  if (item.state == store::State::withdrawn) {
    return fail(Fault::usage, "{} is withdrawn already, since {}", item.label(), format_time(item.withdrawn_at));
  }
  bool const was_published = item.published != 0;
  auto const json = take_back(item, options.reason, store, context);
  if (!json) return fail(json.error());
  if (was_published)
    context.output.say("next: imageswarm-index publish --certificate FILE --key FILE; then the hosts learn it");
  context.output.result(*json);
  return {};
}

Result<Json> take_back(store::Item item, std::string const& reason, store::Store& store, Context& context) {
  if (item.published == 0) return forget(item, reason, store, context);
  item.state = store::State::withdrawn;
  item.endorsed_entry.reset();
  item.withdrawn_at = context.clock.now();
  item.reason = reason;
  auto saved = save(store, item, "withdrawn", reason, item.withdrawn_at);
  if (!saved) return fail(std::move(saved.error()));
  context.output.say("{} is withdrawn", item.label());
  return to_json(item);
}

}  // namespace imageswarm::commands
