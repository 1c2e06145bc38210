#include "daemon/control/ctl/deploy.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "daemon/control/ctl/fields.hpp"
#include "daemon/control/ctl/render.hpp"

namespace imageswarm::ctl {
namespace {

constexpr std::chrono::milliseconds between_questions{200};

bool has_failed(Json const& component) {
  return member(component, "state") == "failed";
}

bool has_ended(Json const& component) {
  return has_failed(component) || member(component, "state") == "present";
}

/// Tells people what is new since the last time.
class Report {
public:
  void take(Json const& deployment) {
    auto const& components = items(deployment, "components");
    if (!components.empty() && !std::exchange(shown_relations_, true)) say(render_relations(deployment, screen_));
    for (auto const& component : components) {
      auto const name = text(component, "name", screen_);
      if (has_ended(component) && ended_.insert(name).second) say(render_component(component, screen_));
      if (!has_ended(component) && member(component, "progress").is_number()) show(component, name);
    }
  }

private:
  /// Over the last line, on a terminal only.
  void show(Json const& component, std::string_view name) {
    if (screen_.width == 0) return;
    fmt::print("\r\033[K{} {} {}", name, text(component, "state", screen_), percent(component, "progress"));
    std::fflush(stdout);
    moving_ = true;
  }
  void say(std::string const& lines) {
    fmt::print("{}{}", std::exchange(moving_, false) ? "\r\033[K" : "", lines);
    std::fflush(stdout);
  }

  Screen screen_ = screen_of(STDOUT_FILENO);
  bool shown_relations_ = false, moving_ = false;
  std::set<std::string> ended_;
};

/// The daemon's reason, where the grid cannot be read.
Result<> error_of(Json const& deployment) {
  auto const fault = fault_of(text(deployment, "fault", {}));
  if (!fault) return {};
  return fail(*fault, "{}", text(deployment, "error", {}));
}

}  // namespace

Result<int> deploy(Daemon const& daemon, Options const& options) {
  auto const target = "/deploy/" + escaped(options.grid);
  Report report;
  auto deployment = daemon.post(target, {{"show", options.only_show}});
  for (; deployment && member(*deployment, "running") == true; deployment = daemon.get(target)) {
    if (!options.json) report.take(*deployment);
    std::this_thread::sleep_for(between_questions);
  }
  if (!deployment) return fail(deployment.error());
  if (auto const fine = error_of(*deployment); !fine) return fail(fine.error());
  if (options.json) {
    fmt::print("{}\n", deployment->dump(2));
  } else {
    report.take(*deployment);
  }
  return std::ranges::any_of(items(*deployment, "components"), has_failed) ? 4 : 0;
}

}  // namespace imageswarm::ctl
