#include "indexer/commands/init.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "indexer/commands/swarm_ca.hpp"

namespace imageswarm::commands {

Result<> init(InitOptions const& options, std::filesystem::path const& root, Context& context) {
  store::Settings const settings{options.name, options.endorser_name, options.contact, options.trackers,
                                 options.web_seeds};
  auto const swarm_ca =
      options.swarm_ca.empty() ? Result<std::string>{} : read_swarm_ca(options.swarm_ca, context.clock.now());
  if (!swarm_ca) return fail(swarm_ca.error());
  if (auto made = store::Store::create(root, settings, *swarm_ca); !made) return made;
  auto const shown = std::filesystem::absolute(root).lexically_normal().native();
  context.output.say("made the store of catalogue {} in {}", options.name, printable(shown));
  context.output.say("next: imageswarm-index add FILE --name NAME");
  context.output.result({{"name", options.name}, {"store", shown}});
  return {};
}

}  // namespace imageswarm::commands
