#include "indexer/commands/rollback.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "indexer/commands/signing.hpp"
#include "indexer/commands/withdraw.hpp"

namespace imageswarm::commands {
namespace {

/// Can hosts go back to it?
Result<> check_target(store::Item const& item, TimePoint now) {
  auto const& expires = item.image.expires;
  if (item.state == store::State::withdrawn) {
    return fail(Fault::usage,
                "{} was withdrawn {}, and what was withdrawn does not come back; roll back to another version, or add "
                "the content again with a --family of its own",
                item.label(), format_time(item.withdrawn_at));
  }
  if (expires && *expires <= now) {
    return fail(Fault::usage, "{} expired {}, no host would use it; edit and endorse it first", item.label(),
                format_time(*expires));
  }
  auto const listed = store::is_listed(item);
  if (!listed) return fail(listed.error());
  if (*listed) return {};
  return fail(Fault::usage, "{} is not endorsed; endorse it first: imageswarm-index endorse '{}'", item.label(),
              item.label());
}

/// The newer versions that are not withdrawn, the newest first: stopped half-way, the rest is still the newest.
std::vector<store::Item> newer_than(store::Item const& kept, store::Store const& store) {
  std::vector<store::Item> newer;
  std::ranges::copy_if(store.items(), std::back_inserter(newer), [&](store::Item const& item) {
    return item.image.uuid == kept.image.uuid && item.image.version > kept.image.version &&
           item.state != store::State::withdrawn;
  });
  std::ranges::sort(newer, [](auto const& a, auto const& b) { return a.image.version > b.image.version; });
  return newer;
}

Result<> confirm(RollbackOptions const& options, store::Item const& kept, std::vector<store::Item> const& newer,
                 Context& context) {
  context.output.say("{} stays; taken back:", kept.label());
  for (auto const& item : newer) {
    context.output.say("  {}  {}  {}", item.label(), item.image.image_id.text(),
                       item.published != 0 ? fmt::format("published in serial {}", item.published)
                                           : "never published: it leaves the store");
  }
  if (options.yes || options.ask(fmt::format("Roll back to {}?", kept.label()))) return {};
  return fail(Fault::cancelled, "nothing was taken back");
}

}  // namespace

Result<> rollback(RollbackOptions const& options, store::Store& store, Context& context) {
  if (!options.yes && !options.ask) {
    return fail(Fault::usage, "there is no terminal to ask on; say --yes if you know what is taken back");
  }
  auto const found = store.find(options.image);
  if (!found) return fail(found.error());
  auto const kept = **found;
  if (auto good = check_target(kept, context.clock.now()); !good) return good;
  auto const newer = newer_than(kept, store);
  if (newer.empty()) {
    return fail(Fault::usage, "{} is the newest of its family already; name an older one: NAME@VERSION", kept.label());
  }
  if (auto agreed = confirm(options, kept, newer, context); !agreed) return agreed;
  std::optional<trust::SigningIdentity> identity;
  if (auto const& with = options.publish;
      !with.certificate.empty()) {  // nothing is taken back that cannot be published
    auto loaded = load_identity(with.certificate, with.key, with.lifetime, context.clock.now());
    if (!loaded) return fail(std::move(loaded.error()));
    identity = std::move(*loaded);
  }
  auto json = nlohmann::ordered_json::array();
  for (auto const& item : newer) {
    auto taken = take_back(item, "rolled back to " + kept.label(), store, context);
    if (!taken) return fail(std::move(taken.error()));
    json.push_back(std::move(*taken));
  }
  if (identity) return publish(options.publish, *identity, store, context);
  context.output.say("next: imageswarm-index publish --certificate FILE --key FILE; then the hosts learn it");
  context.output.result(json);
  return {};
}

}  // namespace imageswarm::commands
