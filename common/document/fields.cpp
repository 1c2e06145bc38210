#include "common/document/fields.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/document/forms.hpp"

namespace imageswarm::document {

Error field_error(std::size_t line, std::string_view what) {
  return {Fault::doc_field, line == 0 ? std::string{what} : fmt::format("line {}: {}", line, what)};
}

Fields::Fields(yaml::Value const& map) : map_{map} {
  if (map.is_map() || map.is_empty()) return;
  outcome_ = fail(field_error(map.line, "it is not a map of keys"));
}

yaml::Value const* Fields::find(std::string_view key) const {
  auto const* value = map_.find(key);
  return value && !value->is_empty() ? value : nullptr;
}

yaml::Value const* Fields::ask(std::string_view key) {
  asked_.emplace_back(key);
  return outcome_ ? find(key) : nullptr;
}

void Fields::texts(std::string_view key, std::map<std::string, std::string>& into,
                   Result<> (*check)(std::string_view name)) {
  auto const* value = ask(key);
  if (!value) return;
  if (!value->is_map()) return refuse({Fault::doc_field, "it is not a map of keys"}, key, value->line);
  for (auto const& member : value->map()) {
    auto read = check(member.key).and_then([&] { return text(member.value); });
    if (!read) return refuse(std::move(read.error()).in(printable(member.key)), key, member.line);
    into[member.key] = std::move(*read);
  }
}

void Fields::refuse(Error error, std::string_view key, std::size_t line) {
  if (!outcome_) return;
  outcome_ = fail(error.fault, "{}", field_error(line, fmt::format("{}: {}", key, error.what)).what);
}

yaml::Value::Map Fields::rest() const {
  yaml::Value::Map rest;
  if (!map_.is_map()) return rest;
  std::ranges::copy_if(map_.map(), std::back_inserter(rest), [&](yaml::Member const& member) {
    return std::ranges::find(asked_, member.key) == asked_.end();
  });
  return rest;
}

}  // namespace imageswarm::document
