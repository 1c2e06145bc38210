#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/torrent/torrent.hpp"
#include "daemon/flow/settings.hpp"

namespace imageswarm::swarm {

/// One artefact to be fetched, or to be seeded from where it already lies.
struct Transfer {
  Uuid image_id;
  torrent::AdmittedTorrent torrent;
  std::filesystem::path directory;    ///< of the artefact; its name there is the torrent's
  std::filesystem::path resume_file;  ///< kept up to date once a second while pieces arrive
  bool in_place = false;              ///< the whole artefact is there and belongs to others: never written to
  std::vector<std::string> trackers;
  std::vector<std::string> web_seeds;
};

struct TransferStatus {
  Uuid image_id;
  double progress = 0;  ///< 0 to 1
  bool complete = false;
  Rate download_rate{0}, upload_rate{0};
  ByteCount from_peers, from_web_seeds, found_here, uploaded;  ///< payload; since the first start, kept over restarts
  unsigned peers = 0;
};

struct PeerStatus {
  std::string address;  ///< "10.0.0.7:6881", or the URL of a web seed
  std::string client;
  double progress = 0;
  Rate download_rate{0}, upload_rate{0};
  ByteCount downloaded, uploaded;
};

/// What the swarm tells unasked; delivered on a libtorrent thread: post it to the loop.
struct Event {
  enum class Kind { complete, failed, stalled, recovered };
  Uuid image_id;
  Kind kind = Kind::complete;
  Error error{Fault::swarm_error, ""};  ///< of failed and stalled
};

/// How long a transfer waits before something else is tried; other values are for tests.
struct Patience {
  std::chrono::milliseconds web_seeds{5'000};  ///< without a byte from peers, until web seeds are asked
  std::chrono::milliseconds stalled{60'000};   ///< without a byte from anybody, until it counts as stalled
};

/// libtorrent behind a wall: fetches and seeds artefacts within the host's budgets (docs/design.md, "The swarm").
/// All calls return at once and may come from the loop thread only.
class Swarm {
public:
  using Listener = std::function<void(Event)>;

  /// Opens the listen socket. Fault: swarm-listen, config-value.
  [[nodiscard]] static Result<std::unique_ptr<Swarm>> open(flow::SwarmSettings const& settings, Listener listener,
                                                           Patience patience = {});
  ~Swarm();  ///< saves what is to be saved and says good-bye to the trackers; takes at most 3 s

  Swarm(Swarm const&) = delete;
  Swarm& operator=(Swarm const&) = delete;

  /// Adds a transfer; one that is there already gets the new trackers and web seeds. Blocks for reading its resume
  /// file. Faults: not-found and hash-mismatch of an artefact that is not in place, exists (another image has the same
  /// torrent), swarm-error.
  [[nodiscard]] Result<> add(Transfer transfer);
  /// Stops a transfer and forgets it; files stay.
  void remove(Uuid const& image_id);
  /// The artefact turned out not to have its signed digest: what is wrong in it is found and fetched anew. It is
  /// `complete` again afterwards, so a torrent that itself disagrees with the digest comes back at once.
  void restart(Uuid const& image_id);
  void set_rates(Rate download, Rate upload);
  /// Everything of the settings that can change without a restart: all but `listen`.
  [[nodiscard]] Result<> apply(flow::SwarmSettings const& settings);
  /// A disk that was full has room again.
  void resume_after_disk_full();

  /// Asks for fresh figures; `statuses` has them a moment later.
  void request_statuses();
  std::vector<TransferStatus> statuses() const;
  std::vector<PeerStatus> peers(Uuid const& image_id) const;
  std::uint16_t port() const;  ///< that it listens on

private:
  struct Impl;
  explicit Swarm(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imageswarm::swarm
