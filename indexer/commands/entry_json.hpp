#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/yaml/value.hpp"

namespace imageswarm::commands {

/// An entry of a document as --json shows it: what is a number or a truth by the name of its key is one in JSON too.
nlohmann::ordered_json entry_json(yaml::Value const& entry);

}  // namespace imageswarm::commands
