#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/document/model.hpp"
#include "common/yaml/value.hpp"
#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

// The endorser list before signing. Faults of all: usage (a value, a list that is signed already), yaml-…, doc-…, disk
// faults; of those that change something also not-found.

/// Makes an empty list that waits to be filled and signed. Fault besides: exists.
[[nodiscard]] Result<> endorsers_init(std::filesystem::path const& list, std::string const& name, Context& context);

/// Adds an endorser, given by the keys of the entry; changes these keys if subject and issuer endorse that document
/// already.
[[nodiscard]] Result<> endorsers_add(std::filesystem::path const& list, yaml::Value::Map keys, Context& context);

/// Includes another list, or changes how it is included; `keys` and `except` are those of the entry.
[[nodiscard]] Result<> endorsers_include(std::filesystem::path const& list, yaml::Value::Map keys,
                                         yaml::Value::List except, Context& context);

/// What is to be removed: the endorsers that have all keys that are not empty, or the included list at `url`.
struct Removal {
  std::string subject, issuer, document, url;
};
[[nodiscard]] Result<> endorsers_remove(std::filesystem::path const& list, Removal const& what, Context& context);

/// Shows the list and what its last synchronisation saw.
[[nodiscard]] Result<> endorsers_show(std::filesystem::path const& list, Context& context);

}  // namespace imageswarm::commands
