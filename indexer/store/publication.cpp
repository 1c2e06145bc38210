#include "indexer/store/publication.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/torrent/meeting_point.hpp"

namespace imageswarm::store {
namespace {

Result<> link_to(fs::path const& file, fs::path const& name) {
  if (::link(file.c_str(), name.c_str()) == 0) return {};
  if (errno == EXDEV) {
    return fail(Fault::disk_error, "{} lies on another file system than the store; they share files by hard links",
                printable(name.parent_path().native()));
  }
  return fail(errno_error(errno, "publishing", file));
}

/// The same file under a second name, complete from its first moment on.
Result<> link_into(fs::path const& file, fs::path const& directory) {
  auto const name = directory / file.filename();
  std::error_code error;
  if (fs::equivalent(file, name, error)) return {};
  auto const hidden = directory / ("." + file.filename().native() + ".link.tmp");
  if (auto removed = remove_file(hidden); !removed) return removed;  // of a call that was cut off
  if (auto linked = link_to(file, hidden); !linked) return linked;
  return move_into_place(hidden, name);
}

/// The same for a directory of chunks, which appears whole.
Result<> link_chunks_into(fs::path const& chunks, document::Torrent const& torrent, fs::path const& directory) {
  auto const files = files_of(torrent);
  auto const from = chunks.parent_path();
  std::error_code error;
  bool const there = std::ranges::all_of(
      files, [&](fs::path const& file) { return fs::equivalent(from / file, directory / file, error); });
  if (there) return {};
  auto const name = directory / chunks.filename();
  auto const hidden = directory / ("." + chunks.filename().native() + ".link.tmp");
  for (auto const& path : {hidden, name}) {
    if (auto removed = remove_tree(path); !removed) return removed;
  }
  if (auto made = make_directories(hidden); !made) return made;
  for (auto const& file : files) {
    if (auto linked = link_to(from / file, hidden / file.filename()); !linked) return linked;
  }
  return move_into_place(hidden, name);
}

/// Web servers tell two versions of a file apart by its size and its time, in whole seconds.
Result<> make_later(fs::path const& file, fs::path const& before) {
  struct stat then {
  }, now{};
  if (::stat(before.c_str(), &then) != 0) return {};
  if (::stat(file.c_str(), &now) != 0) return fail(errno_error(errno, "reading", file));
  timespec const times[] = {{0, UTIME_OMIT}, {then.st_mtim.tv_sec + 1, 0}};
  bool const is_later = now.st_mtim.tv_sec > then.st_mtim.tv_sec;
  if (is_later || ::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0) return {};
  return fail(errno_error(errno, "writing", file));
}

/// Writes files beside their final names, then moves them there in the order in which they were given.
class Switch {
public:
  explicit Switch(fs::path directory) : directory_{std::move(directory)} {}

  [[nodiscard]] Result<> prepare(std::string const& name, std::string_view content) {
    names_.push_back(name);
    if (auto written = write_file_atomically(hidden(name), content); !written) return written;
    return make_later(hidden(name), directory_ / name);
  }
  [[nodiscard]] Result<> perform() const {
    for (auto const& name : names_) {
      if (auto moved = move_into_place(hidden(name), directory_ / name); !moved) return moved;
    }
    return {};
  }

private:
  fs::path hidden(std::string const& name) const { return directory_ / ("." + name + ".next.tmp"); }
  fs::path directory_;
  std::vector<std::string> names_;
};

Result<> add_files(Store const& store, Publication const& publication) {
  for (auto const& image : publication.images) {
    auto const images = store.publication() / "images";
    if (!image.torrent.ssl) {
      auto const linked = image.torrent.chunks ? link_chunks_into(store.artefact(image), image.torrent, images)
                                               : link_into(store.artefact(image), images);
      if (!linked) return linked;
    }
    if (auto linked = link_into(store.torrent(image), store.publication() / "torrents"); !linked) return linked;
  }
  return {};
}

/// Files of withdrawn images only: what else lies there is not ours.
Result<> remove_withdrawn(Store const& store) {
  for (auto const& item : store.items()) {
    if (item.state != State::withdrawn) continue;
    auto const& torrent = item.image.torrent;
    for (auto const& path :
         {store.publication() / "images" / torrent.content_name, store.publication() / "torrents" / torrent.name,
          store.artefact(item.image), store.torrent(item.image)}) {
      if (auto removed = remove_tree(path); !removed) return removed;
    }
  }
  return {};
}

}  // namespace

Result<> put_up(Store const& store, Publication const& publication) {
  if (auto added = add_files(store, publication); !added) return added;
  auto const archived = store.archive() / fmt::format("catalogue-{}.yaml", publication.serial);
  if (auto written = write_file_atomically(archived, publication.catalogue); !written) return written;
  Switch names{store.publication()};
  for (auto const& [name, content] :
       {std::pair{"tracker-whitelist", tracker_whitelist(publication.images)},
        std::pair{"catalogue.html", publication.page}, std::pair{"catalogue.yaml", publication.catalogue}}) {
    if (auto prepared = names.prepare(name, content); !prepared) return prepared;
  }
  if (auto switched = names.perform(); !switched) return switched;
  return remove_withdrawn(store);
}

std::string tracker_whitelist(std::vector<document::Image> const& images) {
  std::set<std::string> hashes{torrent::meeting_point().hex()};
  for (auto const& image : images) {
    hashes.insert(image.torrent.info_hash_v2.hex().substr(0, 40));
    if (image.torrent.info_hash_v1) hashes.insert(image.torrent.info_hash_v1->hex());
  }
  std::string lines;
  for (auto const& hash : hashes) lines += hash + "\n";
  return lines;
}

}  // namespace imageswarm::store
