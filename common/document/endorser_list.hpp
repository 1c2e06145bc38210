#pragma once

#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::document {

// The entries of an endorser list as maps, for those who make them. Fault: doc-field.

yaml::Value to_value(Endorsement const& endorser);
[[nodiscard]] Result<Endorsement> endorsement_from(yaml::Value const& value);
yaml::Value to_value(Inclusion const& inclusion);
[[nodiscard]] Result<Inclusion> inclusion_from(yaml::Value const& value);

}  // namespace imageswarm::document
