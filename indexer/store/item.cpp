#include "indexer/store/item.hpp"

#include <array>

#include "common/base/text.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::store {
namespace {

constexpr std::array<std::string_view, 3> state_names{"managed", "endorsed", "withdrawn"};

Result<State> parse_state(std::string_view text) {
  for (std::size_t i = 0; i < state_names.size(); ++i) {
    if (text == state_names[i]) return static_cast<State>(i);
  }
  return fail(Fault::state_corrupt, "there is no state '{}'", printable(text));
}

yaml::Member member(std::string key, std::string text) {
  return {std::move(key), yaml::Value{std::move(text)}};
}

/// Fills one field of the item; `entry` is the only key with more than a text.
Result<> read_member(Item& item, yaml::Member const& from) {
  auto const put = [](auto& field, auto parsed) -> Result<> {
    if (!parsed) return fail(std::move(parsed.error()));
    field = std::move(*parsed);
    return {};
  };
  if (from.key == "entry") return put(item.image, document::image_from(from.value));
  if (!from.value.is_text()) return fail(Fault::state_corrupt, "{} is not a text", printable(from.key));
  auto const& text = from.value.text();
  if (from.key == "state") return put(item.state, parse_state(text));
  if (from.key == "endorsed-entry-sha256") return put(item.endorsed_entry, Sha256::parse(text));
  if (from.key == "published-in-serial") return put(item.published, parse_number(text, 1, document::max_serial));
  if (from.key == "withdrawn") return put(item.withdrawn_at, parse_time(text));
  if (from.key == "imported-from") return put(item.imported_from, Result<std::string>{text});
  if (from.key == "reason") return put(item.reason, Result<std::string>{text});
  return fail(Fault::state_corrupt, "line {}: unknown key '{}'", from.line, printable(from.key));
}

/// Is `a` to be preferred to `b` where a name means several images?
bool better(Item const& a, Item const& b) {
  bool const a_lives = a.state != State::withdrawn, b_lives = b.state != State::withdrawn;
  return a_lives != b_lives ? a_lives : a.image.version > b.image.version;
}

/// Names that share their first letters or contain what was asked for, at most three.
std::string near_names(std::vector<Item> const& items, std::string_view name) {
  std::vector<std::string> found;
  auto const wanted = lower_case(name.substr(0, name.find('@')));
  for (auto const& item : items) {
    auto const has = lower_case(item.image.name);
    bool const near = has.find(wanted) != std::string::npos || wanted.find(has) != std::string::npos ||
                      (wanted.size() >= 3 && has.starts_with(wanted.substr(0, 3)));
    if (near && found.size() < 3) found.push_back(item.label());
  }
  if (found.empty()) return "`imageswarm-index list` shows what there is";
  return "did you mean " + join(found, " or ") + "?";
}

}  // namespace

std::string_view name_of(State state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::string entry_text(document::Image const& image) {
  return yaml::write(document::to_value(image));
}

Result<bool> is_listed(Item const& item) {
  if (item.state == State::withdrawn) return false;
  if (item.state == State::managed) {
    if (item.published == 0) return false;
    return fail(Fault::usage,
                "{} was published and then changed: endorse it again, or withdraw it; the hosts would take an image "
                "that is no longer listed for withdrawn",
                item.label());
  }
  if (item.endorsed_entry != digest_of<Sha256>(entry_text(item.image))) {
    return fail(Fault::usage, "{} is not what was endorsed: its file was changed by hand; edit and endorse it again",
                item.label());
  }
  return true;
}

std::string write(Item const& item) {
  yaml::Value::Map map{member("state", std::string{name_of(item.state)})};
  if (item.endorsed_entry) map.push_back(member("endorsed-entry-sha256", item.endorsed_entry->hex()));
  if (item.published != 0) map.push_back(member("published-in-serial", std::to_string(item.published)));
  if (item.state == State::withdrawn) {
    map.push_back(member("withdrawn", format_time(item.withdrawn_at)));
    map.push_back(member("reason", item.reason));
  }
  if (!item.imported_from.empty()) map.push_back(member("imported-from", item.imported_from));
  map.push_back({"entry", document::to_value(item.image)});
  return yaml::write(yaml::Value{std::move(map)});
}

Result<Item> parse_item(std::string_view text) {
  auto const corrupt = [](Error const& error) { return fail(Fault::state_corrupt, "{}", error.what); };
  auto const value = yaml::parse(text);
  if (!value) return corrupt(value.error());
  Item item;
  for (auto const& member : value->map()) {
    if (auto read = read_member(item, member); !read) return corrupt(read.error());
  }
  if (!value->find("state") || !value->find("entry")) return fail(Fault::state_corrupt, "no state or no entry");
  return item;
}

Result<Item const*> find(std::vector<Item> const& items, std::string_view name) {
  auto const at = name.rfind('@');
  Item const* best = nullptr;
  for (auto const& item : items) {
    auto const& image = item.image;
    bool const means =
        image.image_id.text() == lower_case(name) || image.uuid.text() == lower_case(name) || image.name == name ||
        (at != name.npos && image.name == name.substr(0, at) && image.version.text == name.substr(at + 1));
    if (means && (!best || better(item, *best))) best = &item;
  }
  if (best) return best;
  return fail(Fault::not_found, "there is no image '{}' in this store; {}", printable(name), near_names(items, name));
}

std::optional<Uuid> family_of(std::vector<Item> const& items, std::string_view name) {
  for (auto const& item : items) {
    if (item.image.name == name) return item.image.uuid;
  }
  return std::nullopt;
}

}  // namespace imageswarm::store
