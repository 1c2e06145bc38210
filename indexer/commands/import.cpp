#include "indexer/commands/import.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/text.hpp"
#include "common/http/client.hpp"
#include "indexer/commands/add.hpp"
#include "indexer/commands/foreign_list.hpp"
#include "indexer/commands/source.hpp"
#include "indexer/exchange/memory.hpp"
#include "indexer/exchange/obtain.hpp"

namespace imageswarm::commands {
namespace {

using exchange::ForeignImage;
using exchange::ForeignList;

/// The image's version as the store has it already, or null.
store::Item const* find_version(store::Store const& store, ForeignImage const& image) {
  auto const& items = store.items();
  auto const found = std::find_if(items.begin(), items.end(), [&](store::Item const& item) {
    return item.image.uuid == image.family && item.image.version == image.version;
  });
  return found == items.end() ? nullptr : &*found;
}

/// The name under which the store has the family; else the list's, told apart from another family of that name.
std::string name_for(ForeignImage const& image, store::Store const& store) {
  for (auto const& item : store.items()) {
    if (item.image.uuid == image.family) return item.image.name;
  }
  if (!store::family_of(store.items(), image.name)) return image.name;
  return image.name.substr(0, 119) + "-" + image.family.text().substr(0, 8);
}

bool is_chosen(ForeignImage const& image, ImportOptions const& options) {
  return options.all || std::ranges::any_of(options.images, [&](std::string const& wanted) {
           return wanted == image.name || lower_case(wanted) == image.family.text();
         });
}

void show(ForeignList const& list, store::Store const& store, indexer::Output& output) {
  output.say("{}", list.title.empty() ? list.id : list.title);
  output.say("  identity   {}", printable(list.id));
  if (!list.version.text.empty()) output.say("  version    {}", list.version.text);
  output.say("  signed by  {}", list.signer.empty() ? "nobody" : printable(list.signer, 500));
  for (auto const& warning : list.warnings) output.say("  warning: {}", warning);
  for (auto const& skipped : list.skipped) output.say("  skipping {}", skipped);
  for (auto const& image : list.images) {
    output.say("  {}@{}  {}  {}{}", image.name, image.version.text, image.family.text(),
               image.size ? human(*image.size) : "size unknown", find_version(store, image) ? "  (in the store)" : "");
  }
}

nlohmann::ordered_json to_json(ForeignList const& list) {
  return {{"list", list.id},
          {"title", list.title},
          {"version", list.version.text},
          {"signer", list.signer},
          {"warnings", list.warnings},
          {"skipped", list.skipped},
          {"images", nlohmann::ordered_json::array()}};
}

nlohmann::ordered_json to_json(ForeignImage const& image, std::string_view state, Fault const* fault) {
  return {{"uuid", image.family.text()},
          {"name", image.name},
          {"image-version", image.version.text},
          {"url", http::shown(image.url)},
          {"size", image.size ? nlohmann::ordered_json(image.size->value) : nullptr},
          {"state", state},
          {"fault", fault ? nlohmann::ordered_json(word(*fault)) : nullptr}};
}

/// As the store remembers where an image came from.
std::string source_of(ForeignList const& list, ImportOptions const& options) {
  return fmt::format("{} {}", options.format, printable(list.id, 2048));
}

/// Anybody's list can name any family, so one that began elsewhere gets no version from this list unless the person
/// names it.
Result<> check_family(ForeignImage const& image, ForeignList const& list, ImportOptions const& options,
                      store::Store const& store) {
  store::Item const* stranger = nullptr;
  for (auto const& item : store.items()) {
    if (item.image.uuid != image.family) continue;
    if (item.imported_from == source_of(list, options)) return {};
    stranger = &item;
  }
  bool const is_named = std::ranges::any_of(
      options.images, [&](std::string const& wanted) { return lower_case(wanted) == image.family.text(); });
  if (!stranger || is_named) return {};
  return fail(Fault::import_field, "its family came from {}; if it is to have versions of this list, say --image {}",
              stranger->imported_from.empty() ? "`add`" : printable(stranger->imported_from), image.family.text());
}

AddOptions add_options(ForeignImage const& image, ForeignList const& list, ImportOptions const& options,
                       store::Store const& store) {
  AddOptions add;
  add.name = name_for(image, store);
  add.family = image.family.text();
  add.version = image.version.text;
  add.disk_format = image.disk_format;
  add.compress = options.compress;
  add.torrent = options.torrent;
  add.edits = image.entry;
  add.imported_from = source_of(list, options);
  add.origin = fmt::format("{} list {}", options.format, printable(list.id));
  if (!list.version.text.empty()) add.origin += " version " + list.version.text;
  add.origin += list.signer.empty() ? ", not signed" : ", signed by " + printable(list.signer, 500);
  return add;
}

/// Imports one image, unless the store has it. Whether it was imported.
Result<bool> take_in(ForeignImage const& image, ForeignList const& list, ImportOptions const& options,
                     store::Store& store, Context& context) {
  if (auto const* item = find_version(store, image)) {
    bool const same = (!image.sha512 || item->image.content_sha512 == *image.sha512) &&
                      (!image.sha256 || item->image.content_sha256 == *image.sha256);
    if (same) return false;
    return fail(Fault::hash_mismatch, "{} is in the store with another content", item->label());
  }
  if (auto good = check_family(image, list, options, store); !good) return fail(good.error());
  auto const& here = options.content.empty() ? list.files : options.content;
  auto const file = exchange::obtain(image, here, store.root() / "artefacts");
  if (!file) return fail(file.error());
  auto add = add_options(image, list, options, store);
  add.file = file->path();
  auto const item = add_image(add, store, context);
  if (item) {
    context.output.say("imported {} as managed; next: imageswarm-index endorse '{}'", item->label(), item->label());
    return true;
  }
  // The options were not the person's but the list's.
  auto const& error = item.error();
  return fail(error.fault == Fault::usage ? Error{Fault::import_field, error.what} : error);
}

/// Imports what was chosen; one that fails does not stop the others. What becomes of each goes into `json`.
Result<> take_in_chosen(ForeignList const& list, ImportOptions const& options, store::Store& store, Context& context,
                        nlohmann::ordered_json& json) {
  std::size_t chosen = 0;
  std::vector<Error> failures;
  for (auto const& image : list.images) {
    if (!is_chosen(image, options)) {
      json.push_back(to_json(image, find_version(store, image) ? "in-store" : "offered", nullptr));
      continue;
    }
    ++chosen;
    auto const imported = take_in(image, list, options, store, context);
    if (imported) {
      json.push_back(to_json(image, *imported ? "imported" : "in-store", nullptr));
      continue;
    }
    auto const& error = imported.error();
    json.push_back(to_json(image, "failed", &error.fault));
    failures.push_back(Error{error}.in(fmt::format("{}@{}", image.name, image.version.text)));
    if (error.fault == Fault::cancelled) return fail(failures.back());
  }
  if (chosen == 0 && !options.all && !options.images.empty()) {
    return fail(Fault::not_found, "the list has none of these images");
  }
  bool const all_failed = !failures.empty() && failures.size() == chosen;
  for (std::size_t i = all_failed ? 1 : 0; i < failures.size(); ++i) context.output.missing(failures[i]);
  if (all_failed) return fail(failures.front());
  return {};
}

}  // namespace

Result<> import_list(ImportOptions const& options, store::Store& store, Context& context) {
  context.output.about(fmt::format("{} list ({})", options.format, printable(shown_source(options.source))));
  auto list = read_foreign_list(options, context.clock.now());
  if (!list) return fail(std::move(list.error()));
  bool const signer_is_demanded = !options.subject.empty() || !options.keyring.empty();
  auto memories = exchange::read_memories(store.root());
  if (!memories) return fail(std::move(memories.error()));
  if (auto good = exchange::compare(*list, options.format, *memories, signer_is_demanded); !good) return good;
  show(*list, store, context.output);
  auto json = to_json(*list);
  if (auto done = take_in_chosen(*list, options, store, context, json["images"]); !done) return done;
  context.output.result(json);
  if (!options.all && options.images.empty()) {
    context.output.say("nothing was imported; choose with --image UUID or --all");
    return {};
  }
  return exchange::remember(*list, options.format, std::move(*memories), store.root());
}

}  // namespace imageswarm::commands
