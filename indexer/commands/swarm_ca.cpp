#include "indexer/commands/swarm_ca.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/trust/swarm_ca.hpp"

namespace imageswarm::commands {

Result<std::string> read_swarm_ca(std::filesystem::path const& file, TimePoint now) {
  auto const text = read_file(file, trust::max_swarm_ca_size);
  if (!text) return fail(text.error());
  auto const ca = trust::SwarmCa::read(*text);
  if (!ca) return fail(Fault::usage, "{}: {}", printable(file.native()), ca.error().what);
  return ca->check_time(now).map([&] { return ca->pem(); });
}

Result<> set_swarm_ca(std::filesystem::path const& file, store::Store& store, Context& context) {
  auto const now = context.clock.now();
  auto const pem = read_swarm_ca(file, now);
  if (!pem) return fail(pem.error());
  auto const name = trust::SwarmCa::read(*pem)->name();
  if (auto written = write_file_atomically(store.swarm_ca(), *pem); !written) return written;
  if (auto noted = note(store, "swarm-ca", name, now); !noted) return noted;
  context.output.say("private images that are added from now on are for hosts with certificates of {}", name);
  context.output.result({{"swarm-ca", name}});
  return {};
}

}  // namespace imageswarm::commands
