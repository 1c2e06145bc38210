#include "indexer/commands/entry_keys.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/yaml/value.hpp"
#include "indexer/commands/entry_json.hpp"

namespace imageswarm::commands {
namespace {

using Form = EntryKey::Form;

constexpr std::array keys{
    EntryKey{"description", "--description", Form::text, "What it is, in a sentence"},
    EntryKey{"os-distro", "--os-distro", Form::text, "Operating system in Glance's words: debian, rocky, ubuntu"},
    EntryKey{"os-version", "--os-version", Form::text, "Its version: 12, 9.4"},
    EntryKey{"architecture", "--architecture", Form::text, "x86_64 (default), aarch64"},
    EntryKey{"hypervisor", "--hypervisor", Form::text, "kvm (default)"},
    EntryKey{"vo-tags", "--vo-tags,--vo-tag", Form::list, "Virtual organisation that it is for (repeat)"},
    EntryKey{"produced", "--produced", Form::time, "When it was made (default: the file's time)"},
    EntryKey{"expires", "--expires", Form::time, "When it may no longer be used: a time, or 180d"},
    EntryKey{"local-endorser", "--on-behalf,--local-endorser", Form::text, "Person on whose behalf it is added"},
    EntryKey{"shareable", "--shareable", Form::boolean, "true: other sites may use it; the option alone says that too"},
    EntryKey{"volume-name", "--volume-name", Form::text, "Logical volume of the volume sink"},
    EntryKey{"volume-size", "--volume-size", Form::size, "Size of that volume: 30GB"},
    EntryKey{"distribution-cluster", "--distribution-cluster", Form::list, "Clusters that should have it (repeat)"},
    EntryKey{"distribution-subcluster", "--distribution-subcluster", Form::list, "Sub-clusters (repeat)"},
    EntryKey{"distribution-hosts", "--distribution-hosts,--distribution-host", Form::list,
             "Hosts, with * and ? (repeat)"},
    EntryKey{"container-format", "--container-format", Form::text,
             "bare or ova: an error if the content is another (default: detected)"},
    EntryKey{"download-url", "--download-url", Form::text, "Where the torrent file is (default: torrents/NAME)"},
    EntryKey{"glance-properties", "--property,--glance-properties", Form::map, "Glance property K=V (repeat)"},
    EntryKey{"glance-tags", "--glance-tags,--glance-tag", Form::list, "Glance tag (repeat)"},
    EntryKey{"min-disk", "--min-disk", Form::text, "Smallest disk of a flavour, GiB"},
    EntryKey{"min-ram", "--min-ram", Form::text, "Smallest memory of a flavour, MiB"},
    EntryKey{"visibility", "--visibility", Form::text, "private, shared, community or public; a wish"},
    EntryKey{"ovf-properties", "--ovf-property,--ovf-properties", Form::map, "Value of an OVF property K=V (repeat)"},
};

Result<yaml::Value> map_of(std::vector<std::string> const& texts) {
  yaml::Value::Map map;
  for (auto const& text : texts) {
    auto const equals = text.find('=');
    if (equals == text.npos || equals == 0) return fail(Fault::usage, "'{}' is not K=V", printable(text));
    auto const key = text.substr(0, equals);
    bool const twice = std::any_of(map.begin(), map.end(), [&](auto const& member) { return member.key == key; });
    if (twice) return fail(Fault::usage, "'{}' is given twice", printable(key));
    map.push_back({key, {text.substr(equals + 1)}});
  }
  return yaml::Value{std::move(map)};
}

Result<yaml::Value> time_of(std::string const& text, TimePoint now) {
  if (parse_time(text)) return yaml::Value{text};
  auto const span = parse_duration(text);
  if (!span) return fail(Fault::usage, "'{}' is neither YYYY-MM-DDThh:mm:ssZ nor a span such as 180d", printable(text));
  return yaml::Value{format_time(now + *span)};
}

Result<yaml::Value> value_of(EntryKey const& key, std::vector<std::string> const& texts, TimePoint now) {
  if (key.form == Form::map) return map_of(texts);
  if (key.form == Form::list) {
    yaml::Value::List list;
    for (auto const& text : texts) list.push_back({text});
    return yaml::Value{std::move(list)};
  }
  if (texts.size() != 1) return fail(Fault::usage, "it has one value");
  if (key.form == Form::time) return time_of(texts[0], now);
  if (key.form == Form::size) {
    return parse_size(texts[0]).map([](ByteCount size) { return yaml::Value{std::to_string(size.value)}; });
  }
  return yaml::Value{texts[0]};
}

}  // namespace

std::span<EntryKey const> entry_keys() {
  return keys;
}

Result<document::Image> edited(document::Image const& image, Edits const& edits, TimePoint now) {
  auto value = document::to_value(image);
  auto& map = std::get<yaml::Value::Map>(value.node);
  for (auto const& [name, texts] : edits) {
    auto const key = std::find_if(keys.begin(), keys.end(), [&](EntryKey const& known) { return known.key == name; });
    if (key == keys.end()) return fail(Fault::usage, "{} cannot be set", printable(name));
    std::erase_if(map, [&](yaml::Member const& member) { return member.key == name; });
    if (texts.size() == 1 && texts[0].empty()) continue;
    auto wanted = value_of(*key, texts, now);
    if (!wanted) return fail(Fault::usage, "--{}: {}", name, wanted.error().what);
    map.push_back({name, std::move(*wanted)});
  }
  auto result = document::image_from(value);
  if (!result) return fail(Fault::usage, "no catalogue entry may have this: {}", result.error().what);
  return result;
}

nlohmann::ordered_json to_json(store::Item const& item) {
  nlohmann::ordered_json json{{"state", name_of(item.state)}};
  json["published-in-serial"] = item.published != 0 ? nlohmann::ordered_json(item.published) : nullptr;
  if (item.state == store::State::withdrawn) {
    json["withdrawn"] = format_time(item.withdrawn_at);
    json["reason"] = item.reason;
  }
  json.update(entry_json(document::to_value(item.image)));
  return json;
}

}  // namespace imageswarm::commands
