#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/torrent/torrent.hpp"
#include "daemon/exchange/messages.hpp"
#include "daemon/flow/arrival.hpp"
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
  std::vector<bool> pieces_here =
      {};  ///< in files of full length, where no resume file knows better; they are believed
  std::shared_ptr<flow::Arrival> arrival{};  ///< of one file: is told how much is here in order; may be null
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
  enum class Kind { complete, failed, stalled, recovered, news };
  Uuid image_id;
  Kind kind = Kind::complete;
  Error error{Fault::swarm_error, ""};    ///< of failed and stalled
  std::vector<exchange::Topic> topics{};  ///< of news, which is of no image: a neighbour claims to have something newer
};

/// What the coordinator asks of the swarm. All calls return at once and may come from the loop thread only.
class Transfers {
public:
  virtual ~Transfers() = default;

  /// Adds a transfer; one that is there already gets the new trackers and web seeds. Blocks for reading its resume
  /// file. Faults: not-found and hash-mismatch of an artefact that is not in place, exists (another image has the same
  /// torrent), swarm-error.
  [[nodiscard]] virtual Result<> add(Transfer transfer) = 0;
  /// Stops a transfer and forgets it; files stay.
  virtual void remove(Uuid const& image_id) = 0;
  /// The artefact turned out not to have its signed digest: what is wrong in it is found and fetched anew. It is
  /// `complete` again afterwards, so a torrent that itself disagrees with the digest comes back at once.
  virtual void restart(Uuid const& image_id) = 0;
  virtual void set_rates(flow::HostRates const& rates) = 0;
  /// A disk that was full has room again.
  virtual void resume_after_disk_full() = 0;

  /// Asks for fresh figures; `statuses` has them a moment later.
  virtual void request_statuses() = 0;
  virtual std::vector<TransferStatus> statuses() const = 0;
  virtual std::vector<PeerStatus> peers(Uuid const& image_id) const = 0;
};

}  // namespace imageswarm::swarm
