#include "daemon/control/ctl/fields.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace imageswarm::ctl {

Json const& member(Json const& object, std::string_view key) {
  static Json const none;
  if (!object.is_object()) return none;
  auto const found = object.find(std::string{key});
  return found == object.end() ? none : *found;
}

Json const& array(Json const& json) {
  static Json const empty = Json::array();
  return json.is_array() ? json : empty;
}

Json const& items(Json const& object, std::string_view key) {
  return array(member(object, key));
}

std::string text(Json const& object, std::string_view key, Screen const& screen) {
  auto const& value = member(object, key);
  if (value.is_string()) return safe(value.get_ref<std::string const&>(), screen);
  return value.is_number_integer() ? value.dump() : std::string{};
}

ByteCount bytes(Json const& object, std::string_view key) {
  auto const& value = member(object, key);
  return {value.is_number_unsigned() ? value.get<std::uint64_t>() : 0};
}

std::string rate(Json const& object, std::string_view key) {
  auto const value = bytes(object, key);
  return value.value == 0 ? std::string{} : human(Rate{value.value});
}

std::string percent(Json const& object, std::string_view key) {
  auto const& value = member(object, key);
  // Rounded down: 100 % means all of it.
  return value.is_number() ? fmt::format("{:.0f} %", std::floor(value.get<double>() * 100)) : std::string{};
}

std::string until(Json const& object, std::string_view key, TimePoint now) {
  auto const& value = member(object, key);
  auto const time = value.is_string() ? parse_time(value.get_ref<std::string const&>()) : fail(Fault::doc_field, "");
  if (!time) return "-";
  return *time < now ? human(now - *time) + " ago" : "in " + human(*time - now);
}

std::string image_name(Json const& image, Screen const& screen) {
  return text(image, "name", screen) + "@" + text(image, "image-version", screen);
}

Cell state_cell(Json const& object, Screen const& screen) {
  auto state = text(object, "state", screen);
  auto const is_one_of = [&](auto... names) { return ((state == names) || ...); };
  auto colour = Colour::plain;
  if (is_one_of("active", "current", "present")) colour = Colour::good;
  if (is_one_of("fetching", "verifying", "preparing", "registering", "working")) colour = Colour::busy;
  if (is_one_of("failed", "refused", "recalled", "expired", "unreachable", "stale")) colour = Colour::bad;
  return {std::move(state), colour};
}

void add_error(Row& row, Json const& object, std::string_view subject, Screen const& screen) {
  auto const fault = text(object, "fault", screen);
  if (fault.empty()) return;
  row.notes.push_back(
      {fmt::format("{}{}{}: {}", subject, subject.empty() ? "" : ": ", fault, text(object, "error", screen)),
       Colour::bad});
}

}  // namespace imageswarm::ctl
