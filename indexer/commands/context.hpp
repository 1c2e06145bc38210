#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "indexer/output.hpp"
#include "indexer/store/history.hpp"
#include "indexer/store/store.hpp"

namespace imageswarm::commands {

/// What every verb has beside its options and its store.
struct Context {
  Clock const& clock;
  indexer::Output& output;
};

/// Saves the item, then notes in the history what was done to it.
[[nodiscard]] Result<> save(store::Store& store, store::Item const& item, std::string_view action,
                            std::string_view note, TimePoint now);

/// Notes what was done, to an image (`image_id` and `label` are then not empty) or to the whole catalogue.
[[nodiscard]] Result<> note(store::Store const& store, std::string_view action, std::string_view note, TimePoint now,
                            std::string image_id = {}, std::string label = {});

}  // namespace imageswarm::commands
