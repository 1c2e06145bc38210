#include "indexer/commands/withdraw.hpp"

#include <nlohmann/json.hpp>

#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {
namespace {

Result<> forget(store::Item const& item, WithdrawOptions const& options, store::Store& store, Context& context) {
  auto const image_id = item.image.image_id;
  auto const label = item.label();
  auto json = to_json(item);
  if (auto gone = store.forget(image_id); !gone) return gone;
  if (auto noted = note(store, "removed", options.reason, context.clock.now(), image_id.text(), label); !noted) {
    return noted;
  }
  context.output.say("{} was never published: it is out of the store", label);
  json["state"] = nullptr;
  context.output.result(json);
  return {};
}

}  // namespace

Result<> withdraw(WithdrawOptions const& options, store::Store& store, Context& context) {
  auto const found = store.find(options.image);
  if (!found) return fail(found.error());
  auto item = **found;
  if (item.state == store::State::withdrawn) {
    return fail(Fault::usage, "{} is withdrawn already, since {}", item.label(), format_time(item.withdrawn_at));
  }
  if (item.published == 0) return forget(item, options, store, context);
  item.state = store::State::withdrawn;
  item.endorsed_entry.reset();
  item.withdrawn_at = context.clock.now();
  item.reason = options.reason;
  if (auto saved = save(store, item, "withdrawn", options.reason, item.withdrawn_at); !saved) return saved;
  context.output.say("{} is withdrawn; the hosts learn it with the next publication: imageswarm-index publish",
                     item.label());
  context.output.result(to_json(item));
  return {};
}

}  // namespace imageswarm::commands
