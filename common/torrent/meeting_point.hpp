#pragma once

#include <algorithm>

#include "common/base/digest.hpp"

namespace imageswarm::torrent {

/// The info-hash by which hosts find one another to exchange documents (docs/formats.md, "Between hosts"). No torrent
/// has it: it is the beginning of the SHA-256 of a text.
inline Sha1 meeting_point() {
  auto const digest = digest_of<Sha256>("imageswarm documents 1");
  Sha1 point;
  std::copy_n(digest.bytes.begin(), point.bytes.size(), point.bytes.begin());
  return point;
}

}  // namespace imageswarm::torrent
