#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "daemon/control/ctl/render.hpp"
#include "tests/support/made_up_board.hpp"

namespace imageswarm::ctl {
namespace {

constexpr Screen terminal{80, 40, true, false};

state::DeployedComponent component(std::string name, std::string image, std::string form,
                                   std::vector<std::string> needs = {}) {
  state::DeployedComponent made;
  made.name = std::move(name);
  made.image = std::move(image);
  made.form = std::move(form);
  made.needs = std::move(needs);
  return made;
}

/// A grid whose node needs two others, one of which needs the other.
Json deployment() {
  test::FakeCommands commands;
  auto store = component("store", "worker", "ova");
  store.error = Error{Fault::not_found, "image x may not be used here"};
  state::Deployment batch;
  batch.grid = "batch";
  batch.components = {store, component("head", "worker@7", "disk", {"store"}),
                      component("node", "worker", "ova", {"head", "store"})};
  commands.shown.deployments = {batch};
  return Json::parse(control::handle({"GET", "/deploy/batch", ""}, commands).body);
}

}  // namespace

TEST_CASE("a grid is shown as what needs what, with what is wrong") {
  CHECK(render_relations(deployment(), terminal) ==
        "node: worker (ova)\n"
        "├─ head: worker@7 (disk)\n"
        "│  └─ store: worker (ova)\n"
        "│     not-found: image x may not be used here\n"
        "└─ store (see above)\n");
  CHECK(render_relations(deployment(), {}) ==
        "node: worker (ova)\n"
        "|- head: worker@7 (disk)\n"
        "|  `- store: worker (ova)\n"
        "|     not-found: image x may not be used here\n"
        "`- store (see above)\n");
}

TEST_CASE("a component is shown with its sinks, or with what kept it from them") {
  Json const present{{"name", "head"},
                     {"state", "present"},
                     {"image-id", "1"},
                     {"sinks", {{{"type", "glance"}, {"name", "mysite"}, {"reference", "1"}, {"fault", nullptr}}}},
                     {"fault", nullptr}};
  CHECK(render_component(present, terminal) == "head: present 1\n  glance mysite: 1\n");
  Json const failed{
      {"name", "head"}, {"state", "failed"}, {"sinks", Json::array()}, {"fault", "image-ovf"}, {"error", "e"}};
  CHECK(render_component(failed, terminal) == "head: failed\n  image-ovf: e\n");
}

}  // namespace imageswarm::ctl
