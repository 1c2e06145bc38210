#include "daemon/coordinator/locate.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/torrent/pieces.hpp"
#include "daemon/flow/artefact.hpp"
#include "daemon/subscription/fetch.hpp"

namespace imageswarm::coordinator {
namespace {

/// Left free for everybody else on the file system.
constexpr ByteCount spare = 64_MiB;

/// From its URL, or whoever else has these very bytes.
Result<std::string> fetch_torrent(flow::Want const& want, exchange::Neighbours& neighbours,
                                  std::stop_token const& stop) {
  auto fetched = subscription::fetch_torrent(want, stop);
  if (fetched || stop.stop_requested()) return fetched;
  auto const& promised = want.image.torrent;
  auto copy =
      neighbours.torrent_file(promised.file_sha256, std::min(promised.file_size, torrent::max_torrent_size), stop);
  if (!copy) return fail(Fault{fetched.error().fault}, "{}; {}", fetched.error().what, copy.error().what);
  log_info("the torrent file of {} comes from neighbour {}: {}", printable(want.image.name), copy->from,
           fetched.error().line());
  return std::move(copy->bytes);
}

Result<torrent::AdmittedTorrent> admitted_torrent(flow::Want const& want, std::filesystem::path const& file,
                                                  exchange::Neighbours& neighbours, std::stop_token const& stop) {
  auto const& promised = want.image.torrent;
  if (auto stored = read_file(file, torrent::max_torrent_size)) {
    if (auto admitted = torrent::admit(std::move(*stored), promised)) return admitted;
    // Changed on disk, or from before an edit of the entry: fetched anew.
  }
  auto fetched = fetch_torrent(want, neighbours, stop);
  if (!fetched) return fail(std::move(fetched.error()).in("fetching the torrent"));
  auto admitted = torrent::admit(std::move(*fetched), promised);
  if (!admitted) return admitted;
  if (auto made = make_directories(file.parent_path()); !made) return fail(std::move(made.error()));
  if (auto written = write_file_atomically(file, admitted->bytes()); !written) return fail(std::move(written.error()));
  return admitted;
}

/// Of a directory: what its files take.
std::uint64_t allocated(std::filesystem::path const& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  auto blocks = static_cast<std::uint64_t>(status.st_blocks) * 512;
  if (!S_ISDIR(status.st_mode)) return blocks;
  if (auto const files = list_directory(path)) {
    for (auto const& file : *files) blocks += allocated(file);
  }
  return blocks;
}

}  // namespace

StorePaths paths_of(std::filesystem::path const& store, document::Image const& image) {
  auto const id = image.image_id.text();
  auto const directory = store / "images" / id;
  return {store / "torrents" / (id + ".torrent"), directory, directory / image.torrent.content_name,
          store / "resume" / (id + ".resume")};
}

Result<Located> locate(flow::Want const& want, std::filesystem::path const& store,
                       std::vector<std::filesystem::path> const& seed_from, exchange::Neighbours& neighbours,
                       std::stop_token const& stop) {
  auto const paths = paths_of(store, want.image);
  auto admitted = admitted_torrent(want, paths.torrent, neighbours, stop);
  if (!admitted) return fail(std::move(admitted.error()));
  if (auto made = make_directories(paths.resume.parent_path()); !made) return fail(std::move(made.error()));
  for (auto const& directory : seed_from) {
    auto const candidate = directory / want.image.torrent.content_name;
    std::error_code error;
    if (!std::filesystem::exists(candidate, error)) continue;
    auto const verified = flow::verify_artefact(candidate, want.image, stop);
    if (verified) return Located{std::move(*admitted), directory, true, {}};
    if (verified.error().fault == Fault::cancelled) return fail(verified.error());
    log_warning("not seeding from {}: {}; fetching it instead", directory.native(), verified.error().line());
  }
  if (auto made = make_directories(paths.directory); !made) return fail(std::move(made.error()));
  auto const zeros = torrent::zeros_in(torrent::piece_hashes_of(*admitted));
  return Located{std::move(*admitted), paths.directory, false, zeros};
}

Result<ByteCount> lacking_room(flow::Want const& want, ByteCount zeros, std::filesystem::path const& store) {
  auto const free = free_space(store);
  if (!free) return fail(free.error());
  auto const there = zeros + ByteCount{allocated(paths_of(store, want.image).artefact)};
  auto const missing = want.image.torrent.content_size - there;
  if (missing.value == 0) return ByteCount{};
  return missing + spare - *free;
}

std::vector<std::filesystem::path> files_of_strangers(std::filesystem::path const& store,
                                                      std::set<std::string> const& known) {
  std::vector<std::filesystem::path> strangers;
  for (auto const* folder : {"images", "torrents", "resume"}) {
    auto const entries = list_directory(store / folder);
    if (!entries) continue;  // what cannot be read now is swept after the next start
    for (auto const& entry : *entries) {
      auto const id = entry.stem().native();
      if (Uuid::parse(id) && !known.contains(id)) strangers.push_back(entry);
    }
  }
  return strangers;
}

}  // namespace imageswarm::coordinator
