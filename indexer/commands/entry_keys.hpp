#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "indexer/store/item.hpp"

namespace imageswarm::commands {

/// A key of a catalogue entry that a person may set; `--KEY` on the command line.
struct EntryKey {
  enum class Form : std::uint8_t {
    text,
    boolean,  ///< true, false
    list,     ///< one value per option
    map,      ///< K=V per option
    time,     ///< YYYY-MM-DDThh:mm:ssZ, or a span from now: 180d
    size,     ///< bytes: 30GB
  };
  std::string_view key;      ///< in the entry
  std::string_view options;  ///< on the command line
  Form form;
  std::string_view help;
};

std::span<EntryKey const> entry_keys();

/// What the person said, by key of the entry. One empty value takes the key out of the entry.
using Edits = std::map<std::string, std::vector<std::string>>;

/// The entry with the edits, checked as a host will check it. Fault: usage.
[[nodiscard]] Result<document::Image> edited(document::Image const& image, Edits const& edits, TimePoint now);

/// Entry, state and what belongs to it, with numbers as numbers.
nlohmann::ordered_json to_json(store::Item const& item);

}  // namespace imageswarm::commands
