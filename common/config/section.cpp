#include "common/config/section.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/spelling.hpp"
#include "common/base/text.hpp"

namespace imageswarm::config {
namespace {

constexpr ByteCount max_size = 1_MiB;

/// Readers of YAML begin with "line 12: "; a configuration's messages begin with "FILE:12: ".
std::string placed(std::string_view file, std::string_view what) {
  static constexpr std::string_view begin = "line ";
  auto const end = what.find(": ");
  if (!what.starts_with(begin) || end == std::string_view::npos) return fmt::format("{}: {}", file, what);
  return fmt::format("{}:{}", file, what.substr(begin.size()));
}

}  // namespace

Section::Section(Reading& reading, yaml::Value const& map, std::string name)
    : reading_{reading}, map_{map}, name_{std::move(name)} {
  if (!map.is_map() && !map.is_empty()) fail_at(map.line, Fault::config_value, name_ + ": a map of keys is expected");
}

std::string Section::full(std::string_view key) const {
  if (key.empty()) return name_;
  return name_.empty() ? std::string{key} : fmt::format("{}.{}", name_, key);
}

void Section::fail_at(std::size_t line, Fault fault, std::string_view what) {
  if (reading_.outcome) reading_.outcome = fail(fault, "{}:{}: {}", reading_.file, line, what);
}

bool Section::has(std::string_view key) const {
  auto const* value = map_.find(key);
  return value && !value->is_empty();
}

yaml::Value const* Section::ask(std::string_view key) {
  asked_.emplace_back(key);
  return reading_.outcome && has(key) ? map_.find(key) : nullptr;
}

void Section::text(std::string_view key, std::string& into) {
  parsed(key, into, [](std::string_view text) -> Result<std::string> {
    if (printable(text, text.size() * 4) == text) return std::string{text};
    return fail(Fault::config_value, "'{}' has characters that cannot be shown", printable(text));
  });
}

void Section::required_text(std::string_view key, std::string& into) {
  text(key, into);
  require(key);
}

void Section::boolean(std::string_view key, bool& into) {
  word(key, into, {{"true", true}, {"false", false}});
}

void Section::path(std::string_view key, std::filesystem::path& into) {
  parsed(key, into, [](std::string_view text) -> Result<std::filesystem::path> {
    std::filesystem::path path{text};
    if (path.is_absolute()) return path;
    return fail(Fault::config_value, "'{}' is not an absolute path", printable(text));
  });
}

void Section::required_path(std::string_view key, std::filesystem::path& into) {
  path(key, into);
  require(key);
}

void Section::value(std::string_view key, std::function<Result<>(yaml::Value const&)> const& read) {
  auto const* value = ask(key);
  if (!value) return;
  if (auto done = read(*value); !done) {
    fail_at(value->line, Fault::config_value, fmt::format("{}: {}", full(key), done.error().what));
  }
}

void Section::each(std::string_view key, std::function<Result<>(yaml::Value const&)> const& read) {
  auto const* list = ask(key);
  if (!list) return;
  if (!list->is_list()) return fail_at(list->line, Fault::config_value, full(key) + ": a list is expected");
  for (auto const& item : list->list()) {
    auto const done = read(item);
    if (!done) return fail_at(item.line, Fault::config_value, fmt::format("{}: {}", full(key), done.error().what));
  }
}

void Section::read_below(yaml::Value const& map, std::string name, std::function<void(Section&)> const& read) {
  Section below{reading_, map, std::move(name)};
  read(below);
  below.refuse_unknown();
}

void Section::section(std::string_view key, std::function<void(Section&)> const& read) {
  if (auto const* map = ask(key)) read_below(*map, full(key), read);
}

void Section::sections(std::string_view key, std::function<void(Section&)> const& read) {
  each(key, [&](yaml::Value const& item) -> Result<> {
    read_below(item, full(key), read);
    return {};
  });
}

void Section::one_or_more_sections(std::string_view key, std::function<void(Section&)> const& read) {
  auto const* given = map_.find(key);
  given && given->is_map() ? section(key, read) : sections(key, read);
}

void Section::whole(std::initializer_list<std::string_view> keys,
                    std::function<Result<>(yaml::Value const&)> const& read) {
  for (auto key : keys) asked_.emplace_back(key);
  refuse_unknown();
  if (!reading_.outcome) return;
  if (auto done = read(map_); !done) {
    reading_.outcome = fail(Fault::config_value, "{}", placed(reading_.file, done.error().what));
  }
}

void Section::require(std::string_view key) {
  if (!has(key)) fail_at(map_.line, Fault::config_value, full(key) + ": it is missing");
}

void Section::refuse(std::string_view key, std::string_view why) {
  auto const* value = map_.find(key);
  fail_at(value ? value->line : map_.line, Fault::config_value, fmt::format("{}: {}", full(key), why));
}

void Section::refuse_unknown() {
  if (!map_.is_map()) return;
  for (auto const& member : map_.map()) {
    if (std::ranges::find(asked_, member.key) != asked_.end()) continue;
    auto const where = name_.empty() ? "" : fmt::format(" in '{}'", name_);
    return fail_at(member.line, Fault::config_unknown_key,
                   fmt::format("unknown key '{}'{}{}", printable(member.key), where, suggestion(member.key, asked_)));
  }
}

Result<> read(std::string_view text, std::filesystem::path const& file, std::function<void(Section&)> const& read) {
  Reading reading{printable(file.native()), {}};
  auto const top = yaml::parse(text, {.size = max_size});
  if (!top) return fail(Fault::config_syntax, "{}", placed(reading.file, top.error().what));
  Section section{reading, *top, ""};
  read(section);
  section.refuse_unknown();
  return reading.outcome;
}

Result<std::string> load(std::filesystem::path const& file) {
  auto text = read_file(file, max_size);
  if (!text) return fail(Fault::config_missing, "{}", text.error().what);
  return text;
}

}  // namespace imageswarm::config
