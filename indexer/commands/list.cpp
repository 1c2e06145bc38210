#include "indexer/commands/list.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "indexer/commands/entry_keys.hpp"

namespace imageswarm::commands {

Result<> list(store::Store const& store, Context& context) {
  auto rows = nlohmann::ordered_json::array();
  std::size_t name_width = 4, version_width = 7;
  for (auto const& item : store.items()) {
    rows.push_back(to_json(item));
    name_width = std::max(name_width, item.image.name.size());
    version_width = std::max(version_width, item.image.version.text.size());
  }
  context.output.result(rows);
  if (store.items().empty()) {
    context.output.say("no images yet; imageswarm-index add FILE --name NAME");
    return {};
  }
  context.output.say("{:<{}}  {:<{}}  {:<9}  {:<6}  {:>8}  {:>9}  IMAGE ID", "NAME", name_width, "VERSION",
                     version_width, "STATE", "FORMAT", "SIZE", "PUBLISHED");
  for (auto const& item : store.items()) {
    auto const published = item.published != 0 ? fmt::format("{}", item.published) : "-";
    context.output.say("{:<{}}  {:<{}}  {:<9}  {:<6}  {:>8}  {:>9}  {}", item.image.name, name_width,
                       item.image.version.text, version_width, name_of(item.state), item.image.disk_format,
                       human(item.image.content_size), published, item.image.image_id.text());
  }
  return {};
}

}  // namespace imageswarm::commands
