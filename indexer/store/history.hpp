#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace imageswarm::store {

/// One line of `history.jsonl`.
struct Event {
  TimePoint at;
  std::string who;       ///< login name
  std::string action;    ///< "added", "endorsed", "published", …
  std::string image_id;  ///< empty for what concerns the whole catalogue, as is `image`
  std::string image;     ///< NAME@VERSION
  std::string note;
};

std::string write(Event const& event);  ///< one line with its LF
[[nodiscard]] Result<Event> parse_event(std::string_view line);

/// Appends one line to the file.
[[nodiscard]] Result<> append_event(std::filesystem::path const& history, Event const& event);
/// All events, oldest first; a line that a crash cut short is left out.
[[nodiscard]] Result<std::vector<Event>> read_history(std::filesystem::path const& history);

/// Who runs this program.
std::string login_name();

}  // namespace imageswarm::store
