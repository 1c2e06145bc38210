#include "indexer/commands/rename.hpp"

#include "common/base/text.hpp"
#include "indexer/commands/edit.hpp"

namespace imageswarm::commands {

Result<> rename(RenameOptions const& options, store::Store& store, Context& context) {
  auto const found = store.find(options.image);
  if (!found) return fail(found.error());
  auto const& item = **found;
  if (item.state == store::State::withdrawn) {
    return fail(Fault::usage, "{} is withdrawn and cannot be changed any more", item.label());
  }
  if (!document::is_image_name(options.new_name)) {
    return fail(Fault::usage, "'{}' is no name for an image: letters, digits, blanks and ._+()-, at most 128",
                printable(options.new_name));
  }
  auto const family = store::family_of(store.items(), options.new_name);
  if (family && *family != item.image.uuid) {
    return fail(Fault::exists, "the name '{}' belongs to another family of this store, {}", options.new_name,
                family->text());
  }
  auto changed = item.image;
  changed.name = options.new_name;
  return replace_entry(item, std::move(changed), "renamed", store, context);
}

}  // namespace imageswarm::commands
