#include "indexer/commands/entry_json.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "common/base/units.hpp"

namespace imageswarm::commands {
namespace {

nlohmann::ordered_json to_json(std::string_view key, yaml::Value const& value) {
  static std::set<std::string_view> const numbers{"volume-size",
                                                  "torrent-file-size",
                                                  "torrent-piece-length",
                                                  "chunk-size",
                                                  "torrent-content-size",
                                                  "content-size",
                                                  "min-disk",
                                                  "min-ram",
                                                  "epoch"};
  static std::set<std::string_view> const booleans{"shareable", "torrent-ssl", "all"};
  if (value.is_list()) {
    auto list = nlohmann::ordered_json::array();
    for (auto const& item : value.list()) list.push_back(to_json("", item));
    return list;
  }
  if (value.is_map()) {
    auto map = nlohmann::ordered_json::object();
    for (auto const& member : value.map()) map[member.key] = to_json("", member.value);
    return map;
  }
  if (booleans.contains(key)) return value.text() == "true";
  auto const number = parse_number(value.text(), 0, UINT64_MAX);
  if (numbers.contains(key) && number) return *number;
  return value.text();
}

}  // namespace

nlohmann::ordered_json entry_json(yaml::Value const& entry) {
  auto json = nlohmann::ordered_json::object();
  for (auto const& member : entry.map()) json[member.key] = to_json(member.key, member.value);
  return json;
}

}  // namespace imageswarm::commands
