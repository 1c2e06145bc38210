#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/uuid.hpp"

namespace imageswarm::state {

/// How far a component of a grid is.
enum class ComponentState : std::uint8_t {
  waiting,
  preparing,    ///< its appliance is being made
  registering,  ///< it is on its way into the sinks
  present,
  failed,
};

/// What one sink has of a component.
struct ComponentSink {
  std::string type, name;
  std::string reference;  ///< Glance ID or path
  std::optional<Error> error;
};

struct DeployedComponent {
  std::string name;
  std::string image;  ///< as the operator wrote it
  std::string form;   ///< "ova" or "disk"
  std::vector<std::string> needs;
  ComponentState state = ComponentState::waiting;
  std::optional<double> progress;                   ///< 0 to 1 of the present state
  std::optional<Uuid> derived_from, image_id = {};  ///< as soon as they are known
  std::vector<ComponentSink> sinks = {};
  std::optional<Error> error = {};
};

/// The components of a grid on their way into the sinks (docs/appliances.md); the last time that it was asked for.
struct Deployment {
  std::string grid;
  bool only_shown = false;  ///< read, and nothing more
  bool running = false;
  std::optional<Error> error = {};  ///< the grid cannot be read
  std::vector<DeployedComponent> components = {};
};

}  // namespace imageswarm::state
