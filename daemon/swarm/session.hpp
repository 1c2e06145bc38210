#pragma once

#include <libtorrent/session.hpp>

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// libtorrent's, but it may end while peers are at their TLS handshakes. libtorrent 2.0.8 frees such connections and
/// then goes on with the handshakes, on what the peers send (https://github.com/arvidn/libtorrent/pull/8835).
class Session : public lt::session {
public:
  using lt::session::session;
  Session(Session&&) = delete;
  ~Session();
};

}  // namespace imageswarm::swarm
