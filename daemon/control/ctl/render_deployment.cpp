#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/control/ctl/fields.hpp"
#include "daemon/control/ctl/render.hpp"

namespace imageswarm::ctl {
namespace {

std::vector<std::string> needs_of(Json const& component) {
  std::vector<std::string> names;
  for (auto const& name : items(component, "needs")) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

/// Draws what needs others above those; what was drawn once is only named again.
class Tree {
public:
  Tree(Json const& components, Screen const& screen) : components_{components}, screen_{screen} {}

  std::string drawn() {
    std::set<std::string> needed;
    for (auto const& component : components_) {
      for (auto const& name : needs_of(component)) needed.insert(name);
    }
    std::string lines;
    for (auto const& component : components_) {
      if (!needed.contains(text(component, "name", screen_))) lines += branch(component, "", "");
    }
    return lines;
  }

private:
  /// `lead` stands before its own line, `below` before those of what it needs.
  std::string branch(Json const& component, std::string const& lead, std::string const& below) {
    auto const name = text(component, "name", screen_);
    if (!drawn_.insert(name).second) return fmt::format("{}{} (see above)\n", lead, name);
    auto const needs = needs_of(component);
    auto lines =
        fmt::format("{}{}: {} ({})\n", lead, name, text(component, "image", screen_), text(component, "form", screen_));
    if (auto const fault = text(component, "fault", screen_); !fault.empty()) {
      lines += fmt::format("{}{}: {}\n", below, fault, text(component, "error", screen_));
    }
    for (std::size_t i = 0; i < needs.size(); ++i) {
      auto const is_needed = [&](Json const& other) { return member(other, "name") == needs[i]; };
      auto const needed = std::ranges::find_if(components_, is_needed);
      bool const last = i + 1 == needs.size();
      if (needed != components_.end()) lines += branch(*needed, below + corner(last), below + bar(last));
    }
    return lines;
  }

  std::string corner(bool last) const {
    if (!screen_.utf8) return last ? "`- " : "|- ";
    return last ? "└─ " : "├─ ";
  }
  std::string bar(bool last) const {
    if (last) return "   ";
    return screen_.utf8 ? "│  " : "|  ";
  }

  Json const& components_;
  Screen const& screen_;
  std::set<std::string> drawn_;
};

}  // namespace

std::string render_relations(Json const& deployment, Screen const& screen) {
  return Tree{items(deployment, "components"), screen}.drawn();
}

std::string render_component(Json const& component, Screen const& screen) {
  auto const field = [&screen](Json const& object, std::string_view key) { return text(object, key, screen); };
  auto const colour = member(component, "state") == "failed" ? Colour::bad : Colour::good;
  auto const id = field(component, "image-id");
  auto lines = fmt::format("{}: {}{}\n", field(component, "name"), coloured(field(component, "state"), colour, screen),
                           id.empty() ? "" : " " + id);
  for (auto const& sink : items(component, "sinks")) {
    auto const fault = field(sink, "fault");
    lines += fmt::format("  {} {}: {}\n", field(sink, "type"), field(sink, "name"),
                         fault.empty() ? field(sink, "reference") : fault + ": " + field(sink, "error"));
  }
  auto const fault = field(component, "fault");
  if (!fault.empty() && items(component, "sinks").empty()) {
    lines += fmt::format("  {}: {}\n", fault, field(component, "error"));
  }
  return lines;
}

}  // namespace imageswarm::ctl
