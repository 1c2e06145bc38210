#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/document/model.hpp"

namespace imageswarm::store {

enum class State : std::uint8_t {
  managed,    ///< in the store, not yet the endorser's word
  endorsed,   ///< goes into the next catalogue
  withdrawn,  ///< was published once and is taken back
};
std::string_view name_of(State state);

/// One image of the store: its catalogue entry and how far it has come; the file `images/<image-id>.yaml`.
struct Item {
  document::Image image;
  State state = State::managed;
  std::optional<Sha256> endorsed_entry;  ///< what was endorsed, byte for byte: a file edited by hand is noticed
  std::uint64_t published = 0;           ///< first serial that lists it; 0 = never published
  TimePoint withdrawn_at;                ///< of a withdrawn image, as is the reason
  std::string reason;
  std::string imported_from = {};  ///< format and identity of the list that it came from; empty = `add`

  std::string label() const { return image.name + "@" + image.version.text; }
};

/// The entry as it is signed.
std::string entry_text(document::Image const& image);

/// May this image go into what is signed, and does it? Fault: usage (it was changed after it was published or
/// endorsed).
[[nodiscard]] Result<bool> is_listed(Item const& item);

std::string write(Item const& item);
/// Fault: state-corrupt.
[[nodiscard]] Result<Item> parse_item(std::string_view text);

/// The one image that `name` means: an image ID, a NAME or a family's UUID (the newest version that is not withdrawn,
/// else the newest), or NAME@VERSION. Fault: not-found, with names that are near.
[[nodiscard]] Result<Item const*> find(std::vector<Item> const& items, std::string_view name);

/// The family that has this name; names of withdrawn images count.
std::optional<Uuid> family_of(std::vector<Item> const& items, std::string_view name);

}  // namespace imageswarm::store
