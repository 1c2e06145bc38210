#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/document/model.hpp"

namespace imageswarm::commands {

/// What the last synchronisation of an endorser list saw of the lists that it includes: FILE.seen, beside the list.
struct SeenLists {
  std::optional<TimePoint> at;                ///< nothing: never synchronised
  std::string includes;                       ///< `includes_of` the list at that time
  std::map<std::string, std::string> bodies;  ///< by URL: the signed part of every list that was reached
  std::vector<std::string> accepted;          ///< a line for each endorser who comes by way of them

  bool covers(document::EndorserList const& list) const;
};

/// The inclusions of a list as text that is compared.
std::string includes_of(document::EndorserList const& list);

/// Empty where the list was never synchronised. Faults: state-corrupt, disk faults.
[[nodiscard]] Result<SeenLists> read_seen_lists(std::filesystem::path const& list);
[[nodiscard]] Result<> write_seen_lists(std::filesystem::path const& list, SeenLists const& seen);

}  // namespace imageswarm::commands
