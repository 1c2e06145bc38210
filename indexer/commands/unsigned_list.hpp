#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/text.hpp"
#include "common/document/model.hpp"

namespace imageswarm::commands {

// An approval or endorser list before signing: the same file without its signature (docs/formats.md, section 4).

/// The header of a new list that will be written to `path`. Faults: usage (the name), exists.
[[nodiscard]] Result<document::Header> new_list_header(document::Kind kind, std::filesystem::path const& path,
                                                       std::string const& name, TimePoint now);

/// Held from reading a list to writing it, so that no two commands change or sign the same state: a lock on the list's
/// directory, as the list itself is replaced. Blocks while another command holds it. Faults: disk faults.
[[nodiscard]] Result<UniqueFd> lock_list(std::filesystem::path const& path);

/// The text of a list. Faults: usage (signed already), disk faults.
[[nodiscard]] Result<std::string> unsigned_text(std::filesystem::path const& path);

/// Reads a list. Faults: as above, and those of `parse`.
template <class List>
[[nodiscard]] Result<List> read_unsigned_list(std::filesystem::path const& path,
                                              Result<List> (*parse)(std::string_view body)) {
  auto const text = unsigned_text(path);
  if (!text) return fail(text.error());
  auto list = parse(*text);
  if (!list) return fail(std::move(list.error()).in(printable(path.native())));
  return list;
}

}  // namespace imageswarm::commands
