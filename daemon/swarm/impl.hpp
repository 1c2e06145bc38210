#pragma once

#include <chrono>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/swarm/address_filter.hpp"
#include "daemon/swarm/counters.hpp"
#include "daemon/swarm/host_certificates.hpp"
#include "daemon/swarm/neighbourhood.hpp"
#include "daemon/swarm/offers/source.hpp"
#include "daemon/swarm/peer_classes.hpp"
#include "daemon/swarm/rendezvous.hpp"
#include "daemon/swarm/resume.hpp"
#include "daemon/swarm/session.hpp"
#include "daemon/swarm/swarm.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

using Instant = std::chrono::steady_clock::time_point;

/// One transfer and what we last heard of it.
struct Entry {
  Uuid image_id;
  std::filesystem::path directory, resume_file;
  bool in_place = false;
  std::vector<std::string> trackers, web_seeds;
  std::string torrent;                           ///< its file, bare
  std::shared_ptr<std::string const> published;  ///< the same as it was published, for neighbours
  std::shared_ptr<lt::torrent_info const> info;  ///< as it was last added
  ByteCount size;                                ///< of all files, without libtorrent's padding
  lt::torrent_handle handle;
  std::optional<trust::SwarmCa> swarm_ca;  ///< of a private image
  std::string certificate;                 ///< that libtorrent was given for it
  bool lapsed = false;                     ///< none of ours opens its swarm now, and that was told

  std::shared_ptr<Counters> counters = std::make_shared<Counters>();
  ByteCount found_here;
  bool first_start = true;  ///< what the first check finds is counted as found here

  TransferStatus status;
  lt::torrent_status::state_t state = lt::torrent_status::checking_resume_data;
  bool rechecking = false;  ///< `restart` was called and the check has not ended: states from before do not count
  bool halted = false;      ///< by an error of the disk or of libtorrent
  bool disk_full = false;   ///< and waits for `resume_after_disk_full`
  Instant next_try;         ///< if it does not
  bool troubled = false;    ///< stalled or failed was told, recovered not yet

  bool saving = false;        ///< resume data was asked for
  bool unsaved = false;       ///< there is news since
  bool adding_again = false;  ///< when the resume data arrives, it is removed and added with it
  bool web_seeds_on = false;
  std::shared_ptr<std::atomic<bool>> may_cross = std::make_shared<std::atomic<bool>>(true);  ///< fetch from afar
  Extension near_keeper;  ///< keeps its place among the neighbours when it is added again

  std::uint64_t done = 0;     ///< bytes of the image that are here
  Instant progressed;         ///< when `done` last grew
  Instant next_introduction;  ///< to neighbours, while nothing comes
  bool banned = false;        ///< peers were banned since then
  Instant next_amnesty;
  std::chrono::milliseconds amnesty_wait{0};
};

/// A line in the log at most once a minute; how many were left out stands in the next.
class Quiet {
public:
  /// Nothing when the line is to be left out; else the text to put behind it.
  std::optional<std::string> line(Instant now);

private:
  Instant next_;
  unsigned left_out_ = 0;
};

struct Swarm::Impl {
  Impl(lt::session_params params, flow::SwarmSettings const& settings, Listener listener, Patience patience);

  // swarm.cpp
  Result<> set_networks(flow::SwarmSettings const& settings);
  Result<> wait_until_listening();
  Entry* find(Uuid const& image_id);
  void close();

  // transfers.cpp
  Result<> add(Transfer transfer);
  void start(Entry& entry, lt::add_torrent_params params);
  void forget(Entry const& entry);
  void set_sources(Entry& entry, Transfer const& transfer);
  std::vector<std::string> all_trackers(Entry const& entry) const;
  void set_slots(flow::SwarmSettings const& settings);

  // private_images.cpp: with the lock held, but for the last
  void certify(Entry& entry);
  void take_certificates(HostCertificates::Loaded loaded);
  void renew_certificates(Instant now);

  // alerts.cpp: on the alert thread; with the lock held but for the first three
  void run(std::stop_token const& stop);
  void handle_all(std::vector<lt::alert*> const& alerts);
  void deliver();
  void handle(lt::alert const& alert);
  void handle(lt::alert const& alert, Entry& entry);
  void on_state(lt::torrent_status const& status);
  void on_completeness(Entry& entry);
  void on_resume_data(Entry& entry, lt::add_torrent_params const& params);
  void halt(Entry& entry, Error error);
  void go_on(Entry& entry);
  void on_tracker(std::string const& url, std::string const& failure);
  void warn(std::string const& about, std::string const& line);
  void tick(Instant now);
  void look_after(Entry& entry, Instant now);
  void use_web_seeds(Entry& entry, bool use);
  void tell(Entry& entry, Event::Kind kind, Error error = {Fault::swarm_error, ""});
  void save(Entry& entry);
  Entry* find(lt::torrent_handle const& handle);

  Listener listener_;
  Patience patience_;
  Session session_;
  PeerClasses classes_;
  AddressFilter filter_;
  std::shared_ptr<Slots> const slots_ = std::make_shared<Slots>();
  std::shared_ptr<Neighbourhood> neighbourhood_ = std::make_shared<Neighbourhood>();
  Rendezvous rendezvous_;

  std::mutex mutable mutex_;  ///< guards what follows, up to the thread
  flow::SwarmSettings settings_;
  std::map<Uuid, Entry> entries_;
  HostCertificates certificates_;
  std::map<std::string, Quiet> quiet_;                  ///< warnings by what they are about
  std::map<std::string, bool> tracker_failing_;         ///< by URL
  std::vector<Event> events_;                           ///< to be delivered without the lock
  std::map<std::filesystem::path, std::string> files_;  ///< resume files to be written without the lock
  Instant next_dht_;

  Instant next_renewal_;       ///< of the certificates; the alert thread's alone
  std::jthread alert_thread_;  ///< last: it uses the others
};

}  // namespace imageswarm::swarm
