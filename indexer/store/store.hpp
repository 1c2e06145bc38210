#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "indexer/store/item.hpp"
#include "indexer/store/settings.hpp"

namespace imageswarm::store {

namespace fs = std::filesystem;

enum class Access : std::uint8_t { read, write };

/// The files of an artefact, relative to where it lies: itself, or its chunks.
std::vector<fs::path> files_of(document::Torrent const& torrent);
/// Removes a file, or a directory with all that it holds; what is not there is fine.
[[nodiscard]] Result<> remove_tree(fs::path const& path);

/// An endorser's store directory (docs/formats.md, "The endorser's store").
///
/// Every file is written atomically, so readers need no lock. One writer at a time: `open` for writing waits for the
/// other command and removes what a killed one left behind. Not thread-safe.
class Store {
public:
  /// Makes the directory and its files; `swarm_ca` may be empty. Faults: exists, usage (a setting that no catalogue may
  /// have), disk faults.
  [[nodiscard]] static Result<> create(fs::path const& root, Settings const& settings, std::string_view swarm_ca = {});
  /// Faults: not-found, state-corrupt, disk faults.
  [[nodiscard]] static Result<Store> open(fs::path const& root, Access access);

  Settings const& settings() const { return settings_; }
  std::vector<Item> const& items() const { return items_; }  ///< by name, then version
  [[nodiscard]] Result<Item const*> find(std::string_view name) const { return store::find(items_, name); }

  /// Writes an item, new or changed. Pointers into `items` do not outlive this.
  [[nodiscard]] Result<> save(Item item);
  /// Forgets an item that was never published, with its files.
  [[nodiscard]] Result<> forget(Uuid const& image_id);
  [[nodiscard]] Result<> save(Settings settings);

  fs::path const& root() const { return root_; }
  /// A private image's artefact lies, from its first byte on, where no web server looks and no stranger here may.
  fs::path artefacts(bool of_private) const { return root_ / (of_private ? "private" : "artefacts"); }
  fs::path artefact(document::Image const& image) const {
    return artefacts(image.torrent.ssl) / image.torrent.content_name;
  }
  fs::path torrent(document::Image const& image) const { return root_ / "torrents" / image.torrent.name; }
  fs::path swarm_ca() const { return root_ / "swarm-ca.pem"; }  ///< of the next private images; may be missing
  fs::path history() const { return root_ / "history.jsonl"; }
  fs::path archive() const { return root_ / "archive"; }
  fs::path publication() const { return root_ / "public"; }

private:
  explicit Store(fs::path root) : root_{std::move(root)} {}
  [[nodiscard]] Result<> lock();
  [[nodiscard]] Result<> load();
  fs::path item_path(Item const& item) const;

  fs::path root_;
  UniqueFd lock_;
  Settings settings_;
  std::vector<Item> items_;
};

}  // namespace imageswarm::store
