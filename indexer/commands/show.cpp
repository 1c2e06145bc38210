#include "indexer/commands/show.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {

Result<> show(std::string const& image, store::Store const& store, Context& context) {
  auto const found = store.find(image);
  if (!found) return fail(found.error());
  auto const& item = **found;
  context.output.result(to_json(item));
  context.output.say("# {}: {}", item.label(), name_of(item.state));
  if (item.published != 0) context.output.say("# published since serial {}", item.published);
  if (item.state == store::State::withdrawn) {
    context.output.say("# withdrawn {}: {}", format_time(item.withdrawn_at), printable(item.reason));
  }
  context.output.words(store::entry_text(item.image));
  return {};
}

}  // namespace imageswarm::commands
