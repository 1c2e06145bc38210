#include "indexer/store/settings.hpp"

#include <chrono>

#include "common/base/text.hpp"
#include "common/document/model.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::store {
namespace {

yaml::Value list_of(std::vector<std::string> const& texts) {
  yaml::Value::List list;
  for (auto const& text : texts) list.push_back({text});
  return {std::move(list)};
}

Result<> read_list(std::vector<std::string>& into, yaml::Member const& member) {
  if (member.value.is_empty()) return {};
  if (!member.value.is_list()) return fail(Fault::config_value, "line {}: {} is a list", member.line, member.key);
  for (auto const& value : member.value.list()) {
    if (!value.is_text()) return fail(Fault::config_value, "line {}: {} lists texts", value.line, member.key);
    into.push_back(value.text());
  }
  return {};
}

Result<> read_number(std::uint64_t& into, yaml::Member const& member, std::uint64_t least) {
  auto const number = parse_number(member.value.text(), least, document::max_serial);
  if (!number) return fail(Fault::config_value, "line {}: {}: {}", member.line, member.key, number.error().what);
  into = *number;
  return {};
}

Result<> read_member(Settings& settings, yaml::Member const& member) {
  auto const& key = member.key;
  if (key == "trackers") return read_list(settings.trackers, member);
  if (key == "web-seeds") return read_list(settings.web_seeds, member);
  if (!member.value.is_text()) return fail(Fault::config_value, "line {}: {} is a text", member.line, printable(key));
  if (key == "epoch") return read_number(settings.epoch, member, 1);
  if (key == "last-serial") return read_number(settings.serial, member, 0);
  std::string* const field = key == "name"            ? &settings.name
                             : key == "endorser-name" ? &settings.endorser_name
                             : key == "contact"       ? &settings.contact
                                                      : nullptr;
  if (!field) return fail(Fault::config_unknown_key, "line {}: unknown key '{}'", member.line, printable(key));
  *field = member.value.text();
  return {};
}

}  // namespace

Result<> check(Settings const& settings) {
  document::Catalogue catalogue;
  catalogue.header = {document::Kind::catalogue, document::current_format, settings.name, settings.epoch, 1, {}, {}};
  catalogue.header.issued = build_time();
  catalogue.header.expires = build_time() + std::chrono::days{1};
  catalogue.endorser = {settings.endorser_name, "CN=any", settings.contact};
  catalogue.trackers = settings.trackers;
  catalogue.web_seeds = settings.web_seeds;
  if (auto parsed = document::parse_catalogue(document::write(catalogue)); !parsed) {
    return fail(Fault::usage, "no catalogue may have this: {}", parsed.error().what);
  }
  return {};
}

std::string write(Settings const& settings) {
  yaml::Value::Map map{
      {"name", {settings.name}},
      {"endorser-name", {settings.endorser_name}},
      {"contact", {settings.contact}},
      {"trackers", list_of(settings.trackers)},
      {"web-seeds", list_of(settings.web_seeds)},
      {"epoch", {std::to_string(settings.epoch)}},
      {"last-serial", {std::to_string(settings.serial)}},
  };
  return yaml::write({std::move(map)});
}

Result<Settings> parse_settings(std::string_view text) {
  auto const value = yaml::parse(text);
  if (!value) return fail(Fault::config_syntax, "{}", value.error().what);
  Settings settings;
  for (auto const& member : value->map()) {
    if (auto read = read_member(settings, member); !read) return fail(std::move(read.error()));
  }
  if (settings.name.empty()) return fail(Fault::config_value, "the catalogue has no name");
  return settings;
}

}  // namespace imageswarm::store
