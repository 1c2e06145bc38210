#include "daemon/appliance/grid.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/config/section.hpp"
#include "common/document/model.hpp"
#include "daemon/appliance/relations.hpp"

namespace imageswarm::appliance {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 60;  ///< of a grid, a component or a file: two and a word make an image's name
constexpr std::size_t most_components = 64;
constexpr std::size_t most_files = 32;  ///< an archive has twice as many at most
constexpr auto description = "component.yaml";
constexpr std::array<std::string_view, 3> folders{"config", "install", "reset"};

bool is_name(std::string_view text) {
  return document::is_file_name(text) && text.size() <= longest_name;
}

/// The thing itself, not a link to one.
Result<> check_kind(fs::path const& path, fs::file_type kind, std::string_view called) {
  std::error_code error;
  auto const found = fs::symlink_status(path, error).type();
  if (found == kind) return {};
  if (found != fs::file_type::not_found && found != fs::file_type::none)
    return fail(Fault::config_value, "{} is not a {}", printable(path.native()), called);
  return fail(errno_error(error ? error.value() : ENOENT, "reading", path));
}

/// Its entries, sorted, each with a plain name.
Result<std::vector<fs::path>> entries_of(fs::path const& folder, std::size_t most) {
  if (auto const there = check_kind(folder, fs::file_type::directory, "folder"); !there) return fail(there.error());
  auto entries = list_directory(folder);
  if (!entries) return entries;
  if (entries->size() > most)
    return fail(Fault::config_value, "{} has {} entries, more than {}", printable(folder.native()), entries->size(),
                most);
  for (auto const& entry : *entries) {
    if (!is_name(entry.filename().native()))
      return fail(Fault::config_value, "{} has a name with other characters than A-Z a-z 0-9 . _ -, or a long one",
                  printable(entry.native()));
  }
  std::ranges::sort(*entries);
  return entries;
}

void read_component(config::Section& section, Component& component) {
  section.required_text("image", component.image);
  section.word("form", component.form, {{"ova", image::OvaOrder::Form::ova}, {"disk", image::OvaOrder::Form::disk}});
  section.value("values", [&component](yaml::Value const& value) -> Result<> {
    if (!value.is_map()) return fail(Fault::config_value, "a map of properties and their values is expected");
    for (auto const& member : value.map()) {
      if (!member.value.is_text())
        return fail(Fault::config_value, "{}: a single value is expected", printable(member.key));
      component.values.emplace(member.key, member.value.text());
    }
    return {};
  });
  auto const text = [](yaml::Value const& value) -> Result<std::string> {
    if (value.is_text()) return value.text();
    return fail(Fault::config_value, "a single value is expected");
  };
  section.list("needs", component.needs, text);
  section.list("sinks", component.sinks, text);
}

Result<Component> component_in(fs::path const& directory) {
  auto const entries = entries_of(directory, folders.size() + 1);
  if (!entries) return fail(entries.error());
  for (auto const& entry : *entries) {
    auto const name = entry.filename().native();
    if (name != description && std::ranges::find(folders, name) == folders.end())
      return fail(Fault::config_value, "{} is unknown: a component has {}, install, config and reset",
                  printable(entry.native()), description);
  }
  Component component;
  component.name = directory.filename().native();
  component.directory = directory;
  auto const file = directory / description;
  if (auto const plain = check_kind(file, fs::file_type::regular, "plain file"); !plain) return fail(plain.error());
  auto const text = config::load(file);
  if (!text) return fail(text.error());
  auto const read = config::read(*text, file, [&component](config::Section& top) { read_component(top, component); });
  if (!read) return fail(read.error());
  return component;
}

}  // namespace

Result<Grid> read_grid(fs::path const& grids, std::string const& name) {
  if (!is_name(name)) return fail(Fault::usage, "'{}' is not the name of a grid", printable(name));
  auto const directories = entries_of(grids / name, most_components);
  if (!directories) return fail(directories.error());
  if (directories->empty())
    return fail(Fault::config_value, "{} has no components", printable((grids / name).native()));
  std::vector<Component> components;
  for (auto const& directory : *directories) {
    auto component = component_in(directory);
    if (!component) return fail(component.error());
    components.push_back(std::move(*component));
  }
  auto sorted = in_order(std::move(components));
  if (!sorted) return fail(std::move(sorted.error()).in("grid " + name));
  return Grid{name, std::move(*sorted)};
}

Result<std::vector<image::OvaOrder::File>> files_of(Component const& component) {
  std::vector<image::OvaOrder::File> files;
  ByteCount room = image::max_order_files;
  for (auto const folder : folders) {
    auto const entries = entries_of(component.directory / folder, most_files);
    if (!entries && entries.error().fault == Fault::not_found) continue;
    if (!entries) return fail(entries.error());
    for (auto const& entry : *entries) {
      if (auto const plain = check_kind(entry, fs::file_type::regular, "plain file"); !plain)
        return fail(plain.error());
      auto content = read_file(entry, room);
      if (!content) return fail(std::move(content.error()).in(component.name));
      if (content->empty())
        return fail(Fault::config_value, "{} is empty, and an archive of ours holds no empty files",
                    printable(entry.native()));
      room = room - ByteCount{content->size()};
      files.push_back({fmt::format("{}/{}", folder, entry.filename().native()), std::move(*content)});
    }
  }
  if (files.size() > most_files)
    return fail(Fault::config_value, "{} has {} files, more than {}", component.name, files.size(), most_files);
  return files;
}

}  // namespace imageswarm::appliance
