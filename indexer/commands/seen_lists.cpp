#include "indexer/commands/seen_lists.hpp"

#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/document/endorser_list.hpp"
#include "indexer/commands/entry_json.hpp"

namespace imageswarm::commands {
namespace {

/// 64 lists of the largest size, which JSON's quotes make longer.
constexpr ByteCount max_record = 2_GiB;

std::filesystem::path record_of(std::filesystem::path const& list) {
  return list.native() + ".seen";
}

}  // namespace

bool SeenLists::covers(document::EndorserList const& list) const {
  return list.includes.empty() || (at && includes == includes_of(list));
}

std::string includes_of(document::EndorserList const& list) {
  auto json = nlohmann::ordered_json::array();
  for (auto const& inclusion : list.includes) json.push_back(entry_json(document::to_value(inclusion)));
  return json.dump();
}

Result<SeenLists> read_seen_lists(std::filesystem::path const& list) {
  auto const text = read_file(record_of(list), max_record);
  if (!text && text.error().fault == Fault::not_found) return SeenLists{};
  if (!text) return fail(text.error());
  try {
    auto const json = nlohmann::ordered_json::parse(*text);
    auto const at = parse_time(json.at("at").get<std::string>());
    if (!at) return fail(at.error());
    SeenLists seen{*at, json.at("includes").dump(), {}, {}};
    json.at("lists").get_to(seen.bodies);
    json.at("accepted").get_to(seen.accepted);
    return seen;
  } catch (nlohmann::json::exception const& error) {
    return fail(Fault::state_corrupt, "{}: {}; remove it and synchronise again", printable(record_of(list).native()),
                printable(error.what()));
  }
}

Result<> write_seen_lists(std::filesystem::path const& list, SeenLists const& seen) {
  nlohmann::ordered_json const json{{"at", format_time(*seen.at)},
                                    {"includes", nlohmann::ordered_json::parse(seen.includes)},
                                    {"accepted", seen.accepted},
                                    {"lists", seen.bodies}};
  return write_file_atomically(record_of(list), json.dump(2) + "\n");
}

}  // namespace imageswarm::commands
