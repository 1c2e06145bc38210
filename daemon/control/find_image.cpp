#include "daemon/control/find_image.hpp"

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"

namespace imageswarm::control {
namespace {

using state::ImageState;
using state::ImageStatus;
using Found = std::vector<ImageStatus const*>;

template <class Fits>
Found images_that(state::Board const& board, Fits const& fits) {
  Found found;
  for (auto const& image : board.images) {
    if (fits(image)) found.push_back(&image);
  }
  return found;
}

bool same_family(ImageStatus const& a, ImageStatus const& b) {
  return a.uuid == b.uuid && a.endorser == b.endorser;
}

/// What comes before age: an image that was taken back is meant only where there is no other.
std::pair<bool, document::Version> rank_of(ImageStatus const& image) {
  bool const is_gone = image.state == ImageState::withdrawn || image.state == ImageState::recalled;
  return {!is_gone, image.version};
}

/// The newest of what was found; images of different families have no order.
Result<ImageStatus const*> newest(Found const& found, std::string_view image) {
  auto const* best = found.front();
  for (auto const* other : found) {
    if (!same_family(*best, *other)) {
      return fail(Fault::usage, "'{}' fits images of several families, among them {} and {}; name the image ID",
                  printable(image), best->image_id.text(), other->image_id.text());
    }
    if (rank_of(*best) < rank_of(*other)) best = other;
  }
  return best;
}

Found by_name(state::Board const& board, std::string_view image) {
  auto const at = image.find('@');  // no name has one
  auto const name = image.substr(0, at);
  std::optional<document::Version> version;
  if (at != std::string_view::npos) {
    auto const parsed = document::Version::parse(image.substr(at + 1));
    if (!parsed) return {};
    version = *parsed;
  }
  return images_that(board, [&](auto const& i) { return i.name == name && (!version || i.version == *version); });
}

}  // namespace

Result<ImageStatus const*> find_image(state::Board const& board, std::string_view image) {
  if (auto const id = Uuid::parse(image)) {
    // The same bytes in the catalogues of two endorsers have one ID: one image.
    auto const found = images_that(board, [&](auto const& i) { return i.image_id == *id; });
    if (!found.empty()) return found.front();
    auto const family = images_that(board, [&](auto const& i) { return i.uuid == *id; });
    if (!family.empty()) return newest(family, image);
  }
  auto const found = by_name(board, image);
  if (!found.empty()) return newest(found, image);
  return fail(Fault::not_found,
              "no image '{}' in any catalogue that this host follows; imageswarmctl images lists them",
              printable(image));
}

bool is_ready(ImageStatus const& image) {
  return image.state == ImageState::active &&
         std::ranges::all_of(image.sinks, [](auto const& sink) { return sink.state == state::SinkState::present; });
}

Found missing_images(state::Board const& board) {
  return images_that(board, [](ImageStatus const& image) {
    switch (image.state) {
      case ImageState::not_selected:
      case ImageState::not_approved:
      case ImageState::superseded:
      case ImageState::expired:
      case ImageState::withdrawn:
      case ImageState::recalled:
        return false;
      default:
        return !is_ready(image);
    }
  });
}

}  // namespace imageswarm::control
