#include "indexer/commands/init.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace imageswarm::commands {

Result<> init(InitOptions const& options, std::filesystem::path const& root, Context& context) {
  store::Settings const settings{options.name, options.endorser_name, options.contact, options.trackers,
                                 options.web_seeds};
  if (auto made = store::Store::create(root, settings); !made) return made;
  auto const shown = std::filesystem::absolute(root).lexically_normal().native();
  context.output.say("made the store of catalogue {} in {}", options.name, printable(shown));
  context.output.say("next: imageswarm-index add FILE --name NAME");
  context.output.result({{"name", options.name}, {"store", shown}});
  return {};
}

}  // namespace imageswarm::commands
