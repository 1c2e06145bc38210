#include <algorithm>
#include <cerrno>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/torrent_flags.hpp>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/swarm/impl.hpp"
#include "daemon/swarm/session_settings.hpp"

namespace imageswarm::swarm {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 1s;
constexpr auto warning_interval = 60s;
constexpr auto dht_interval = 5min;
constexpr auto introduction_interval = 10s;
constexpr auto retry_interval = 60s;  // of what libtorrent stopped, a full disk aside: for that the caller looks
constexpr std::chrono::milliseconds longest_amnesty_wait = 1h;

bool is_checking(lt::torrent_status::state_t state) {
  return state == lt::torrent_status::checking_files || state == lt::torrent_status::checking_resume_data;
}

Rate rate_of(int bytes_per_second) {
  return {static_cast<std::uint64_t>(std::max(0, bytes_per_second))};
}

bool is_full(lt::error_code const& error) {
  return error == boost::system::errc::no_space_on_device ||
         (error.category() == boost::system::system_category() && error.value() == EDQUOT);
}

Kept kept_of(Entry const& entry) {
  return {entry.status.complete,
          {entry.counters->from_peers},
          {entry.counters->from_web_seeds},
          entry.found_here,
          {entry.counters->uploaded}};
}

/// "image.qcow2 (6ba7b810-…)"
std::string name_of(Entry const& entry) {
  return fmt::format("{} ({})", printable(entry.info->name()), entry.image_id.text());
}

}  // namespace

std::optional<std::string> Quiet::line(Instant now) {
  if (now < next_) {
    ++left_out_;
    return {};
  }
  next_ = now + warning_interval;
  auto const left_out = std::exchange(left_out_, 0u);
  return left_out == 0 ? "" : fmt::format(" (and {} more like this)", left_out);
}

void Swarm::Impl::run(std::stop_token const& stop) {
  auto next_tick = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    auto const now = std::chrono::steady_clock::now();
    try {
      if (now >= next_tick) {
        next_tick = now + tick_interval;
        tick(now);
        renew_certificates(now);
      }
      session_.wait_for_alert(std::chrono::ceil<std::chrono::milliseconds>(next_tick - now));
      std::vector<lt::alert*> alerts;
      session_.pop_alerts(&alerts);
      handle_all(alerts);
    } catch (std::exception const& error) {
      log_error("swarm: {}", printable(error.what()));
    }
  }
}

void Swarm::Impl::handle_all(std::vector<lt::alert*> const& alerts) {
  {
    std::lock_guard const lock{mutex_};
    for (auto const* alert : alerts) handle(*alert);
  }
  deliver();
}

/// Writes files and calls the listener, neither under the lock.
void Swarm::Impl::deliver() {
  std::vector<Event> events;
  std::map<std::filesystem::path, std::string> files;
  {
    std::lock_guard const lock{mutex_};
    events.swap(events_);
    files.swap(files_);
  }
  for (auto const& [path, content] : files) {
    if (auto written = replace_resume(path, content); !written) {
      std::lock_guard const lock{mutex_};
      warn("resume", fmt::format("{}; what arrives may have to be fetched again after a crash", written.error().what));
    }
  }
  for (auto& event : events) listener_(std::move(event));
}

Entry* Swarm::Impl::find(lt::torrent_handle const& handle) {
  for (auto& [id, entry] : entries_) {
    if (entry.handle == handle) return &entry;
  }
  return nullptr;
}

void Swarm::Impl::warn(std::string const& about, std::string const& line) {
  if (auto const more = quiet_[about].line(std::chrono::steady_clock::now())) log_warning("{}{}", line, *more);
}

void Swarm::Impl::handle(lt::alert const& alert) {
  if (auto const* update = lt::alert_cast<lt::state_update_alert>(&alert)) {
    for (auto const& status : update->status) on_state(status);
    return;
  }
  if (auto const* error = lt::alert_cast<lt::tracker_error_alert>(&alert)) {
    if (rendezvous_.is(error->handle)) return;  // a tracker may list images alone; neighbours are found elsewhere too
    // Announced from every address of the host; 127.0.0.1 is among them and reaches nobody.
    if (error->error == lt::errors::announce_skipped) return;
    return on_tracker(error->tracker_url(),
                      error->failure_reason()[0] != '\0' ? error->failure_reason() : error->error.message());
  }
  if (auto const* reply = lt::alert_cast<lt::tracker_reply_alert>(&alert)) return on_tracker(reply->tracker_url(), "");
  if (lt::alert_cast<lt::listen_failed_alert>(&alert)) return warn("listen", printable(alert.message()));
  if (lt::alert_cast<lt::alerts_dropped_alert>(&alert)) {
    warn("dropped", "libtorrent reported more than we could take in");
    for (auto& [id, entry] : entries_) entry.saving = false;  // the answer may have been among them
    return;
  }
  auto const* about = dynamic_cast<lt::torrent_alert const*>(&alert);
  if (auto* entry = about ? find(about->handle) : nullptr) handle(alert, *entry);
}

void Swarm::Impl::handle(lt::alert const& alert, Entry& entry) {
  if (auto const* saved = lt::alert_cast<lt::save_resume_data_alert>(&alert)) {
    on_resume_data(entry, saved->params);
  } else if (lt::alert_cast<lt::save_resume_data_failed_alert>(&alert)) {
    entry.saving = entry.adding_again = false;
  } else if (lt::alert_cast<lt::torrent_checked_alert>(&alert)) {
    entry.rechecking = false;
    session_.post_torrent_updates();
  } else if (lt::alert_cast<lt::torrent_finished_alert>(&alert)) {
    session_.post_torrent_updates();
  } else if (auto const* disk = lt::alert_cast<lt::file_error_alert>(&alert)) {
    halt(entry, {is_full(disk->error) ? Fault::disk_full : Fault::disk_error,
                 fmt::format("{}: {}", printable(disk->filename()), disk->error.message())});
  } else if (auto const* stopped = lt::alert_cast<lt::torrent_error_alert>(&alert)) {
    halt(entry, {Fault::swarm_error, printable(stopped->error.message())});
  } else if (lt::alert_cast<lt::fastresume_rejected_alert>(&alert)) {
    log_warning("{}: the file is not as it was left, checking all of it", name_of(entry));
  } else if (lt::alert_cast<lt::hash_failed_alert>(&alert)) {
    entry.banned = true;
    warn("hash " + entry.image_id.text(),
         fmt::format("{}: a piece was not the signed one, fetching it again", name_of(entry)));
  } else if (auto const* ban = lt::alert_cast<lt::peer_ban_alert>(&alert)) {
    entry.banned = true;
    warn("ban " + entry.image_id.text(), fmt::format("{}: banned peer {}, which sent a bad piece", name_of(entry),
                                                     ban->endpoint.address().to_string()));
  } else if (auto const* gone = lt::alert_cast<lt::peer_disconnected_alert>(&alert)) {
    if (gone->error != lt::errors::invalid_ssl_cert) return;
    warn("membership " + entry.image_id.text(),
         fmt::format("{}: refused peer {}: its certificate does not open this private image", name_of(entry),
                     gone->endpoint.address().to_string()));
  } else if (lt::alert_cast<lt::url_seed_alert>(&alert)) {
    warn("web seed " + entry.image_id.text(), fmt::format("{}: {}", name_of(entry), printable(alert.message())));
  }
}

void Swarm::Impl::on_tracker(std::string const& url, std::string const& failure) {
  auto& failing = tracker_failing_[url];
  if (!failure.empty()) warn("tracker " + url, fmt::format("tracker {}: {}", printable(url), printable(failure)));
  if (failing && failure.empty()) log_info("tracker {} answers again", printable(url));
  failing = !failure.empty();
}

/// Told once: libtorrent repeats a disk error many times a second. But "file too short", of checking what could not be
/// written, may come before "no space", which is the cause.
void Swarm::Impl::halt(Entry& entry, Error error) {
  bool const full = error.fault == Fault::disk_full;
  if (entry.halted && (entry.disk_full || !full)) return;
  if (!std::exchange(entry.halted, true)) {
    entry.handle.set_flags(lt::torrent_flags::upload_mode);
    entry.handle.pause();
    entry.next_try = std::chrono::steady_clock::now() + retry_interval;
  }
  entry.disk_full = full;
  std::erase_if(events_, [&](Event const& event) {
    return event.image_id == entry.image_id && event.kind == Event::Kind::failed;
  });
  tell(entry, Event::Kind::failed, std::move(error));
}

/// Takes the torrent out and adds it again. `clear_error`, leaving upload mode and `resume` would do, were it not that
/// a piece whose hash could not be read stays locked in libtorrent's piece picker for ever.
void Swarm::Impl::go_on(Entry& entry) {
  entry.next_try = std::chrono::steady_clock::now() + retry_interval;
  entry.adding_again = true;
  save(entry);
}

void Swarm::Impl::on_resume_data(Entry& entry, lt::add_torrent_params const& params) {
  entry.saving = false;
  auto data = params;
  data.banned_peers.clear();  // they may have been repaired, and every piece is hashed
  // After a failed write libtorrent may take a block for written that is not.
  if (entry.halted) data.unfinished_pieces.clear();
  files_[entry.resume_file] = encode_resume(data, kept_of(entry));
  if (!std::exchange(entry.adding_again, false)) return;
  session_.remove_torrent(entry.handle);
  start(entry, std::move(data));
}

void Swarm::Impl::on_state(lt::torrent_status const& status) {
  auto* entry = find(status.handle);
  if (!entry || entry->rechecking) return;
  entry->state = status.state;
  entry->status.download_rate = rate_of(status.download_payload_rate);
  entry->status.upload_rate = rate_of(status.upload_payload_rate);
  entry->status.peers = static_cast<unsigned>(std::max(0, status.num_peers));
  if (is_checking(status.state)) return;

  auto const done = static_cast<std::uint64_t>(status.total_wanted_done);
  if (std::exchange(entry->first_start, false)) {
    entry->found_here =
        ByteCount{done} - ByteCount{entry->counters->from_peers} - ByteCount{entry->counters->from_web_seeds};
  }
  entry->unsaved |= done != entry->done;
  if (done > entry->done) {
    entry->progressed = std::chrono::steady_clock::now();
    if (entry->troubled && !entry->halted) tell(*entry, Event::Kind::recovered);
  }
  entry->done = done;
  entry->status.progress = static_cast<double>(done) / static_cast<double>(entry->size.value);

  bool const complete = status.state == lt::torrent_status::finished || status.state == lt::torrent_status::seeding;
  if (complete != std::exchange(entry->status.complete, complete)) on_completeness(*entry);
  if (entry->in_place && !complete && !entry->troubled) {
    tell(*entry, Event::Kind::failed,
         {Fault::hash_mismatch, fmt::format("{} is no longer what was published; it is not written to",
                                            printable((entry->directory / entry->info->name()).native()))});
  }
}

void Swarm::Impl::on_completeness(Entry& entry) {
  entry.unsaved = true;
  if (entry.status.complete) {
    entry.banned = false;
    tell(entry, Event::Kind::complete);
  } else {
    log_warning("{}: the file was changed after it was complete", name_of(entry));
  }
}

void Swarm::Impl::tell(Entry& entry, Event::Kind kind, Error error) {
  entry.troubled = kind == Event::Kind::failed || kind == Event::Kind::stalled;
  events_.push_back({entry.image_id, kind, std::move(error)});
}

void Swarm::Impl::save(Entry& entry) {
  entry.unsaved = false;
  if (!std::exchange(entry.saving, true)) entry.handle.save_resume_data();
}

void Swarm::Impl::tick(Instant now) {
  std::lock_guard const lock{mutex_};
  session_.post_torrent_updates();
  rendezvous_.tick(now);
  if (auto news = rendezvous_.take_news(); !news.empty()) {
    events_.push_back({.image_id = {}, .kind = Event::Kind::news, .topics = std::move(news)});
  }
  for (auto& [id, entry] : entries_) {
    look_after(entry, now);
    if (entry.unsaved && !entry.saving) save(entry);
  }
  if (!settings_.dht || now < next_dht_) return;
  next_dht_ = now + dht_interval;
  for (auto const& node : settings_.dht_nodes) {  // whose names could perhaps not be resolved before
    if (auto const parsed = parse_host_port(node)) session_.add_dht_node(*parsed);
  }
}

void Swarm::Impl::use_web_seeds(Entry& entry, bool use) {
  if (use == std::exchange(entry.web_seeds_on, use)) return;
  for (auto const& url : entry.web_seeds) use ? entry.handle.add_url_seed(url) : entry.handle.remove_url_seed(url);
}

void Swarm::Impl::look_after(Entry& entry, Instant now) {
  if (entry.halted && !entry.disk_full && now >= entry.next_try) go_on(entry);
  if (entry.status.complete || entry.halted || entry.in_place || entry.rechecking || is_checking(entry.state)) {
    entry.progressed = now;
    return;
  }
  auto const idle = now - entry.progressed;
  use_web_seeds(entry, *entry.may_cross && (entry.web_seeds_on || idle >= patience_.web_seeds));
  // Where neighbours listen for private images is not known.
  if (!entry.swarm_ca && idle >= patience_.web_seeds && now >= entry.next_introduction) {
    entry.next_introduction = now + introduction_interval;
    for (auto const& host : rendezvous_.hosts()) entry.handle.connect_peer(host);
  }
  if (idle < patience_.stalled) return;
  if (!entry.troubled) {
    tell(entry, Event::Kind::stalled,
         {Fault::swarm_no_sources,
          fmt::format("{} peers, and nothing new from any of them or from {} web seeds for {}", entry.status.peers,
                      entry.web_seeds.size(), human(std::chrono::duration_cast<std::chrono::seconds>(idle)))});
  }
  if (!entry.banned || now < entry.next_amnesty) return;
  // libtorrent bans by address, for good, and without an error state: who is banned may be the only source, or share
  // an address with it. Adding the torrent again clears the bans; less and less often, should it be bad for ever.
  entry.amnesty_wait = std::min(std::max(2 * entry.amnesty_wait, patience_.stalled), longest_amnesty_wait);
  entry.next_amnesty = now + entry.amnesty_wait;
  entry.banned = false;
  entry.adding_again = true;
  save(entry);
}

}  // namespace imageswarm::swarm
