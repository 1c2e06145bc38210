#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/http/server.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/state/board.hpp"

namespace imageswarm::control {

/// One peer of an image, for `imageswarmctl peers`.
struct PeerRow {
  std::string address, client;
  double progress = 0;
  Rate download_rate{0}, upload_rate{0};
  ByteCount downloaded, uploaded;
};

/// What the operator may ask of the daemon; the coordinator does it. All on the loop thread, none blocks.
class Commands {
public:
  virtual ~Commands() = default;
  virtual state::Board const& board() = 0;  ///< fresh
  virtual void refresh() = 0;
  virtual void pause(bool paused) = 0;
  /// Accepts what is held back of the document with this name or URL. Faults: not-found, usage (the name is ambiguous).
  [[nodiscard]] virtual Result<> confirm(std::string const& document) = 0;
  virtual void limit(flow::HostRates const& rates) = 0;
  /// Begins to put the components of a grid into the sinks, or only to read it; the board then shows how far it is.
  /// Fault exists: another one is under way.
  [[nodiscard]] virtual Result<> deploy(std::string const& grid, bool only_show) = 0;
  virtual std::vector<PeerRow> peers(Uuid const& image_id) const = 0;
};

/// The control API over the Unix socket: JSON over HTTP/1.1 (docs/operations.md, "The control socket").
http::ServerResponse handle(http::ServerRequest const& request, Commands& commands);

/// The page of the metrics endpoint, in Prometheus' text format.
http::ServerResponse handle_metrics(http::ServerRequest const& request, state::Board const& board);

}  // namespace imageswarm::control
