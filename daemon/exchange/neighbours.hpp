#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "daemon/exchange/messages.hpp"

namespace imageswarm::exchange {

Topic topic_of(document::Kind kind, std::string_view url);

/// A document that this host follows.
struct Followed {
  Topic topic;
  std::uint64_t epoch = 1;  ///< that is expected of it
  /// What this host has accepted of it and trusts now, to be given to whoever asks; nothing before that.
  std::optional<Claim> held;
  std::shared_ptr<std::string const> bytes;  ///< of `held`
};

/// What a neighbour gave. It has the digest that was asked for, which says nothing about what it is worth.
struct Copy {
  std::string bytes;
  Sha256 digest;
  std::string from;  ///< the neighbour's address
};

/// Other hosts that follow the same documents. What comes from them is exactly as good as what comes from a mirror:
/// signed bytes that have yet to be verified.
class Neighbours {
public:
  virtual ~Neighbours() = default;

  /// From now on these documents are of interest, and what is held of them is given out. Any thread.
  virtual void follow(std::vector<Followed> documents) = 0;
  /// A copy that a neighbour claims to be newer than what is held, or to be other bytes under the same serial; nothing
  /// if nobody does. Blocks up to five minutes.
  virtual std::optional<Copy> newer_copy(Topic const& topic, std::stop_token const& stop) = 0;
  /// This copy was of no use here, which says nothing against who gave it: it is not fetched again for a while.
  virtual void pass_over(Topic const& topic, Sha256 const& digest) = 0;
  /// This copy can be of no use on any host, so nobody has accepted it who offers it. Nor is it fetched again.
  virtual void refuse(Sha256 const& digest) = 0;
  /// The torrent file of this digest and size. Blocks up to five minutes. Fault: not-found.
  [[nodiscard]] virtual Result<Copy> torrent_file(Sha256 const& digest, ByteCount size,
                                                  std::stop_token const& stop) = 0;
};

}  // namespace imageswarm::exchange
