#pragma once

#include <memory>
#include <string>

#include "common/trust/swarm_ca.hpp"
#include "daemon/swarm/counters.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// For add_torrent_params::extensions of a private image: looks at every peer's certificate with our own eyes when the
/// TLS connection stands, and closes it, before a byte of the image has passed, unless `ca` admits the holder to
/// `image_id`.
///
/// libtorrent's own check comes first and lets too many in: names that are only the beginning of the image's, and
/// whoever resumes a TLS session that was begun for another image, since then no certificate is asked for at all.
Extension admitting_members(trust::SwarmCa ca, std::string image_id);

/// RFC 7919, ffdhe2048: libtorrent demands parameters, though nobody uses them who can do elliptic curves.
extern char const* const dh_parameters;

}  // namespace imageswarm::swarm
