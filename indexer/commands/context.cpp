#include "indexer/commands/context.hpp"

#include <utility>

namespace imageswarm::commands {

Result<> save(store::Store& store, store::Item const& item, std::string_view action, std::string_view text,
              TimePoint now) {
  auto image_id = item.image.image_id.text();
  auto label = item.label();
  if (auto saved = store.save(item); !saved) return saved;
  return note(store, action, text, now, std::move(image_id), std::move(label));
}

Result<> note(store::Store const& store, std::string_view action, std::string_view text, TimePoint now,
              std::string image_id, std::string label) {
  return store::append_event(store.history(), {now, store::login_name(), std::string{action}, std::move(image_id),
                                               std::move(label), std::string{text}});
}

}  // namespace imageswarm::commands
