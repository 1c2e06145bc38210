#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "indexer/exchange/foreign.hpp"

namespace imageswarm::exchange {

/// What the store remembers of a list from which images were imported, so that an older version or another signer is
/// noticed the next time. Most formats bring no protection of their own.
struct Memory {
  std::string format;
  std::string list;  ///< ForeignList::id
  std::string home;  ///< ForeignList::home
  std::string signer;
  document::Version version;
  document::Version index_version{};  ///< ForeignList::index_version
};

/// The file `imports.yaml` of a store; a missing one is empty. Faults: state-corrupt, disk faults.
[[nodiscard]] Result<std::vector<Memory>> read_memories(std::filesystem::path const& store);

/// The list against what was imported before; notes in its warnings that this version was. `signer_demanded`: the
/// person said who may sign, so another signer than before is no surprise.
/// Faults: import-field (what the list says of itself could not be remembered), doc-name (another list where this one
/// was), signer-not-listed, serial-rollback.
[[nodiscard]] Result<> compare(ForeignList& list, std::string_view format, std::vector<Memory> const& memories,
                               bool signer_demanded);

/// Puts the list's version in the place of an earlier one and writes the file. What nobody signed is not remembered:
/// it could not be held against anything.
[[nodiscard]] Result<> remember(ForeignList const& list, std::string_view format, std::vector<Memory> memories,
                                std::filesystem::path const& store);

}  // namespace imageswarm::exchange
