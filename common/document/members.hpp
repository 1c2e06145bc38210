#pragma once

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/units.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::document {

/// Makes a map to be written, member by member; what is empty is left out.
class Members {
public:
  explicit Members(yaml::Value::Map map = {}) : map_{std::move(map)} {}

  void add(std::string_view key, std::string_view text) {
    if (!text.empty()) put(key, {std::string{text}});
  }
  void add(std::string_view key, std::same_as<bool> auto yes) { put(key, {std::string{yes ? "true" : "false"}}); }
  void add(std::string_view key, ByteCount size) { put(key, {std::to_string(size.value)}); }
  void add(std::string_view key, TimePoint time) { put(key, {format_time(time)}); }
  void add(std::string_view key, std::vector<std::string> const& texts) {
    yaml::Value::List items;
    for (auto const& text : texts) items.push_back({text});
    add(key, std::move(items));
  }
  void add(std::string_view key, std::map<std::string, std::string> const& texts) {
    yaml::Value::Map map;
    for (auto const& [name, text] : texts) map.push_back({name, {text}});
    if (!map.empty()) put(key, {std::move(map)});
  }
  void add(std::string_view key, yaml::Value::List items) {
    if (!items.empty()) put(key, {std::move(items)});
  }
  void add(yaml::Value::Map const& others) { map_.insert(map_.end(), others.begin(), others.end()); }
  void put(std::string_view key, yaml::Value value) { map_.push_back({std::string{key}, std::move(value)}); }

  yaml::Value::Map map() && { return std::move(map_); }

private:
  yaml::Value::Map map_;
};

}  // namespace imageswarm::document
