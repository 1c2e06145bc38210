#include "indexer/store/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::store {
namespace {

constexpr ByteCount max_item_size = 1_MiB;

struct Directory {
  std::string_view name;
  std::uint32_t mode = 0755;
};

/// Every directory in which we write.
constexpr Directory directories[] = {{"."},        {"images"}, {"artefacts"},     {"private", 0750},
                                     {"torrents"}, {"public"}, {"public/images"}, {"public/torrents"},
                                     {"archive"}};

}  // namespace

std::vector<fs::path> files_of(document::Torrent const& torrent) {
  if (!torrent.chunks) return {torrent.content_name};
  std::vector<fs::path> files;
  for (std::uint32_t i = 0; i < torrent.chunks->count; ++i)
    files.push_back(fs::path{torrent.content_name} / document::chunk_name(i));
  return files;
}

Result<> remove_tree(fs::path const& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return fail(errno_error(error.value(), "removing", path));
  return {};
}

Result<> Store::create(fs::path const& root, Settings const& settings, std::string_view swarm_ca) {
  if (auto good = check(settings); !good) return good;
  std::error_code error;
  if (fs::exists(root / "store.yaml", error)) {
    return fail(Fault::exists, "{} is a store already", printable(root.native()));
  }
  for (auto const& directory : directories) {
    if (auto made = make_directories(root / directory.name, directory.mode); !made) return made;
  }
  if (!swarm_ca.empty()) {
    if (auto written = write_file_atomically(Store{root}.swarm_ca(), swarm_ca); !written) return written;
  }
  return write_file_atomically(root / "store.yaml", write(settings));
}

Result<Store> Store::open(fs::path const& root, Access access) {
  Store store{root};
  std::error_code error;
  if (!fs::exists(root / "store.yaml", error)) {
    return fail(Fault::not_found,
                "{} is not a store (it has no store.yaml); name one with --store DIR or make one with "
                "`imageswarm-index init`",
                printable(fs::absolute(root, error).lexically_normal().native()));
  }
  if (access == Access::write) {
    if (auto locked = store.lock(); !locked) return fail(std::move(locked.error()));
  }
  if (auto loaded = store.load(); !loaded) return fail(std::move(loaded.error()));
  return store;
}

Result<> Store::lock() {
  auto const path = root_ / ".lock";
  lock_ = UniqueFd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (!lock_) return fail(errno_error(errno, "opening", path));
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    log_info("another command is at work in this store, waiting for it");
    if (::flock(lock_.get(), LOCK_EX) != 0) return fail(errno_error(errno, "locking", path));
  }
  for (auto const& directory : directories) {
    if (auto made = make_directories(root_ / directory.name, directory.mode); !made) return made;
    if (auto clean = remove_temporaries(root_ / directory.name); !clean) return clean;
  }
  return {};
}

Result<> Store::load() {
  auto const read =
      read_file(root_ / "store.yaml", max_item_size).and_then([](auto const& text) { return parse_settings(text); });
  if (!read) return fail(Error{read.error()}.in("store.yaml"));
  settings_ = *read;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator{root_ / "images", error}) {
    auto const name = entry.path().filename().native();
    if (name.starts_with('.') || !name.ends_with(".yaml")) continue;
    auto item = read_file(entry.path(), max_item_size).and_then([](auto const& text) { return parse_item(text); });
    if (!item) return fail(std::move(item.error()).in("images/" + printable(name)));
    if (item->image.image_id.text() + ".yaml" != name) {
      return fail(Fault::state_corrupt, "images/{}: holds the image {}", printable(name), item->image.image_id.text());
    }
    items_.push_back(std::move(*item));
  }
  if (error) return fail(errno_error(error.value(), "reading", root_ / "images"));
  std::sort(items_.begin(), items_.end(), [](Item const& a, Item const& b) {
    return std::tie(a.image.name, a.image.version) < std::tie(b.image.name, b.image.version);
  });
  return {};
}

fs::path Store::item_path(Item const& item) const {
  return root_ / "images" / (item.image.image_id.text() + ".yaml");
}

Result<> Store::save(Item item) {
  if (auto written = write_file_atomically(item_path(item), write(item)); !written) return written;
  auto const same = std::find_if(items_.begin(), items_.end(),
                                 [&](Item const& other) { return other.image.image_id == item.image.image_id; });
  if (same == items_.end()) {
    items_.push_back(std::move(item));
  } else {
    *same = std::move(item);
  }
  return {};
}

Result<> Store::forget(Uuid const& image_id) {
  auto const at =
      std::find_if(items_.begin(), items_.end(), [&](Item const& item) { return item.image.image_id == image_id; });
  if (at == items_.end()) return {};
  for (auto const& path : {item_path(*at), torrent(at->image), artefact(at->image)}) {
    if (auto removed = remove_tree(path); !removed) return removed;
  }
  items_.erase(at);
  return {};
}

Result<> Store::save(Settings settings) {
  if (auto written = write_file_atomically(root_ / "store.yaml", write(settings)); !written) return written;
  settings_ = std::move(settings);
  return {};
}

}  // namespace imageswarm::store
