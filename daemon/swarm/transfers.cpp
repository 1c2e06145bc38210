#include <algorithm>
#include <libtorrent/announce_entry.hpp>
#include <libtorrent/extensions/ut_pex.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "daemon/swarm/impl.hpp"
#include "daemon/swarm/in_order.hpp"
#include "daemon/swarm/membership.hpp"

namespace imageswarm::swarm {
namespace {

Result<> check_file(std::filesystem::path const& path, ByteCount expected) {
  auto const file = open_regular(path);
  if (!file) return fail(file.error());
  auto const size = size_of(*file);
  if (!size) return fail(size.error());
  if (*size == expected) return {};
  return fail(Fault::hash_mismatch, "{} has {} bytes, its torrent {}", printable(path.native()), size->value,
              expected.value);
}

ByteCount size_of_file(lt::file_storage const& files, lt::file_index_t index) {
  return {files.pad_file_at(index) ? 0 : static_cast<std::uint64_t>(files.file_size(index))};
}

/// The whole artefact must lie there already: libtorrent would make or complete it.
Result<> check_in_place(std::filesystem::path const& directory, lt::file_storage const& files) {
  for (auto const index : files.file_range()) {
    if (files.pad_file_at(index)) continue;
    if (auto there = check_file(directory / files.file_path(index), size_of_file(files, index)); !there) return there;
  }
  return {};
}

ByteCount artefact_size(lt::file_storage const& files) {
  ByteCount total;
  for (auto const index : files.file_range()) total += size_of_file(files, index);
  return total;
}

/// Anew for every time that it is added: libtorrent takes the piece layers out of it, and lt::load_torrent_buffer puts
/// them elsewhere in the parameters, which resume data replaces. Without them seed mode takes every piece for bad.
std::shared_ptr<lt::torrent_info> load(std::string const& bytes) {
  lt::load_torrent_limits limits;
  limits.max_buffer_size = static_cast<int>(torrent::max_torrent_size.value);
  return std::make_shared<lt::torrent_info>(
      lt::span<char const>{bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, limits, lt::from_span);
}

/// Marks the pieces that are here, and says how many bytes they are. Nothing is checked then, not even the files; a
/// shorter list would be where a check goes on.
ByteCount set_pieces(lt::add_torrent_params& params, std::vector<bool> const& here, lt::torrent_info const& info) {
  ByteCount bytes;
  params.have_pieces.resize(info.num_pieces(), false);
  for (auto const piece : info.piece_range()) {
    if (!here[static_cast<std::size_t>(static_cast<int>(piece))]) continue;
    params.have_pieces.set_bit(piece);
    bytes += {static_cast<std::uint64_t>(info.files().piece_size2(piece))};
  }
  return bytes;
}

}  // namespace

std::vector<std::string> Swarm::Impl::all_trackers(Entry const& entry) const {
  auto all = entry.trackers;
  for (auto const& ours : settings_.trackers) {
    if (std::find(all.begin(), all.end(), ours) == all.end()) all.push_back(ours);
  }
  return all;
}

void Swarm::Impl::set_slots(flow::SwarmSettings const& settings) {
  slots_->while_downloading = settings.upload_peers;
  slots_->while_seeding = settings.seed_peers;
}

/// Gives the torrent to libtorrent; `params` are empty or what a resume file holds.
void Swarm::Impl::start(Entry& entry, lt::add_torrent_params params) {
  using namespace lt::torrent_flags;
  auto const info = load(entry.torrent);
  entry.info = info;
  params.ti = info;
  params.save_path = entry.directory;
  params.trackers = all_trackers(entry);
  params.tracker_tiers.clear();
  params.url_seeds.clear();
  params.dht_nodes.clear();
  params.flags = update_subscribe | apply_ip_filter | override_trackers | override_web_seeds;
  if (entry.status.complete || entry.in_place) {
    // Ready at once; each piece is hashed when it is first read, and a bad one is not sent.
    params.flags |= seed_mode;
    params.have_pieces.clear();
    params.unfinished_pieces.clear();
  }
  if (entry.in_place) params.flags |= upload_mode;  // never asks for a piece, so never writes one
  params.extensions.push_back(counting(entry.counters));
  params.extensions.push_back(offering({info, slots_, entry.in_place}));
  params.extensions.push_back(entry.near_keeper);
  if (settings_.peer_exchange && !entry.swarm_ca) params.extensions.push_back(&lt::create_ut_pex_plugin);
  if (entry.swarm_ca) {
    // Who has it is told by the trackers alone, and to nobody else.
    params.flags |= disable_dht | disable_pex | disable_lsd;
    params.extensions.push_back(admitting_members(*entry.swarm_ca, info->name()));
  }
  entry.handle = session_.add_torrent(std::move(params));
  entry.certificate.clear();
  if (entry.swarm_ca) certify(entry);
  entry.web_seeds_on = entry.halted = false;
  entry.progressed = std::chrono::steady_clock::now();
}

Result<> Swarm::Impl::add(Transfer transfer) {
  auto bytes = torrent::bare(transfer.torrent);
  auto const info = load(bytes);
  bool const is_private = !info->ssl_cert().empty();
  if (is_private) transfer.web_seeds.clear();  // they serve everybody
  filter_.add_web_seeds(transfer.web_seeds);

  std::lock_guard const lock{mutex_};
  if (auto* there = find(transfer.image_id)) {
    if (there->info->info_hashes() == info->info_hashes() && there->directory == transfer.directory &&
        there->in_place == transfer.in_place) {
      set_sources(*there, transfer);
      return {};
    }
    forget(*there);
  }
  // libtorrent knows torrents by their info-hash alone: two images would share one handle, and lose it together.
  for (auto const& [id, other] : entries_) {
    if (other.info->info_hashes() != info->info_hashes()) continue;
    return fail(Fault::exists, "image {} has the very same torrent and is in the swarm already", id.text());
  }

  Entry entry;
  if (is_private) {
    auto ca = trust::SwarmCa::read({info->ssl_cert().data(), info->ssl_cert().size()});
    if (!ca) return fail(std::move(ca.error()));
    if (auto const ours = certificates_.choose(*ca, info->name(), SystemClock{}.now()); !ours)
      return fail(ours.error());
    entry.swarm_ca = std::move(*ca);
  }
  entry.image_id = entry.status.image_id = transfer.image_id;
  entry.directory = std::move(transfer.directory);
  entry.resume_file = std::move(transfer.resume_file);
  entry.in_place = transfer.in_place;
  entry.trackers = std::move(transfer.trackers);
  entry.web_seeds = std::move(transfer.web_seeds);
  entry.torrent = std::move(bytes);
  entry.published = transfer.torrent.shared_bytes();
  entry.size = artefact_size(info->files());
  entry.near_keeper = keeping_near(neighbourhood_, patience_.crossing, entry.may_cross);

  auto const whole = check_in_place(entry.directory, info->files());
  if (entry.in_place && !whole) return whole;
  auto resumed = read_resume(entry.resume_file, info->info_hashes());
  if (resumed) {
    entry.first_start = false;
    entry.counters->from_peers = resumed->kept.from_peers.value;
    entry.counters->from_web_seeds = resumed->kept.from_web_seeds.value;
    entry.counters->uploaded = resumed->kept.uploaded.value;
    entry.found_here = resumed->kept.found_here;
    entry.status.complete = resumed->kept.complete && whole;
  }
  auto params = resumed ? std::move(resumed->params) : lt::add_torrent_params{};
  if (!resumed && static_cast<int>(transfer.pieces_here.size()) == info->num_pieces()) {
    entry.found_here = set_pieces(params, transfer.pieces_here, *info);
    entry.first_start = false;
  }
  if (transfer.arrival) {
    auto here = resumed ? std::vector<bool>{} : std::move(transfer.pieces_here);
    params.extensions.push_back(telling_order(std::move(transfer.arrival), *info, std::move(here)));
  }
  start(entry, std::move(params));
  entry.status.complete = false;  // until libtorrent says so
  rendezvous_.add_trackers(entry.trackers);
  rendezvous_.give(entry.published);
  entries_.emplace(transfer.image_id, std::move(entry));
  return {};
}

void Swarm::Impl::forget(Entry const& entry) {
  session_.remove_torrent(entry.handle);
  rendezvous_.take_back(*entry.published);
  entries_.erase(Uuid{entry.image_id});
}

void Swarm::Impl::set_sources(Entry& entry, Transfer const& transfer) {
  if (entry.trackers != transfer.trackers) {
    entry.trackers = transfer.trackers;
    std::vector<lt::announce_entry> entries;
    for (auto const& url : all_trackers(entry)) entries.emplace_back(url);
    entry.handle.replace_trackers(entries);
  }
  if (entry.web_seeds != transfer.web_seeds) {
    for (auto const& url : entry.web_seeds) entry.handle.remove_url_seed(url);
    entry.web_seeds = transfer.web_seeds;
    entry.web_seeds_on = false;  // asked for again when peers do not deliver
  }
}

}  // namespace imageswarm::swarm
