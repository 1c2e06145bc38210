#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/exchange/neighbours.hpp"

namespace imageswarm::exchange {

/// What is said between this host and its neighbours, as a state machine without threads, sockets or a clock: messages
/// and the time go in, messages and fetched files come out. Everything that a neighbour can make it keep or do has a
/// limit (docs/security.md, "Documents from neighbours").
class Exchange {
public:
  using Instant = std::chrono::steady_clock::time_point;
  using Peer = std::uint64_t;  ///< one connection; never used again
  using FetchId = std::uint64_t;

  void follow(std::vector<Followed> documents);
  /// A torrent file to be given out, too.
  void give(std::shared_ptr<std::string const> const& torrent_file);
  void take_back(std::string_view torrent_file);

  void join(Peer peer, std::string address);
  void leave(Peer peer, Instant now);
  /// False when the peer breaks the rules or has lied, and has to be shut out.
  [[nodiscard]] bool receive(Peer peer, std::string_view message, Instant now);
  /// What is to be sent to it now. Call it after `receive`, and about once a second, but not while much that was sent
  /// before has not left yet.
  std::vector<std::string> messages_for(Peer peer, Instant now);
  /// Gives up those who do not deliver. Call it about once a second.
  void tick(Instant now);
  /// Documents of which somebody has claimed something newer since the last call.
  std::vector<Topic> take_news();

  struct Offer {
    Sha256 digest;
    ByteCount size;
    std::vector<Peer> from;  ///< who may have it
    bool claimed = true;     ///< by all of them, of this size
  };
  /// The newest that anybody claims to have, if that is newer than what is held, or contradicts it.
  std::optional<Offer> best_offer(Topic const& topic, Instant now) const;
  /// A file of everybody.
  Offer offer_of_all(Sha256 const& digest, ByteCount size) const;
  /// Does not offer this again for a while; after too many in vain nothing of those who offer it, of this document.
  void pass_over(Topic const& topic, Sha256 const& digest, Instant now);
  /// The same for what can be of no use on any host: whoever offers such things too often is to be shut out.
  void refuse(Sha256 const& digest, Instant now);

  /// Asks one after the other until the bytes are here.
  FetchId fetch(Offer offer, Instant now);
  bool is_running(FetchId id) const;
  /// Ends a fetch; nothing if nobody gave the file, which is then no offer for a while: what cannot be had shall not
  /// stand before what can.
  std::optional<Copy> end_fetch(FetchId id, Instant now);

private:
  struct Neighbour {
    std::string address;
    std::vector<Claim> claims;
    std::uint64_t told = 0;  ///< `version_` of our claims that it knows
    std::deque<Request> requests;
    bool silent = false;        ///< let the time of a fetch pass, and has answered nothing since
    unsigned owed = 0;          ///< answers to our requests
    Instant second;             ///< that `answers` counts
    unsigned answers = 0;       ///< since `second`
    unsigned claims_heard = 0;  ///< since `claims_since`
    Instant claims_since;
    unsigned refused = 0;               ///< copies of it
    std::map<Topic, unsigned> in_vain;  ///< copies of it that were passed over since `in_vain_since`
    Instant in_vain_since;
  };
  struct Fetch {
    Offer offer;
    std::optional<Peer> from;  ///< nobody: it has ended
    Instant deadline;          ///< for this neighbour
    std::uint64_t asked = 0;   ///< bytes
    Hasher<Sha256> hasher;
    Copy copy;
    bool complete = false;
  };

  bool hear(Neighbour& from, Claims claims, Instant now);
  bool take(Peer peer, Block const& block, Instant now);
  void ask_next(Fetch& fetch, Instant now);
  std::string answer(Request const& request) const;
  std::shared_ptr<std::string const> file(Sha256 const& digest) const;
  bool is_news(Neighbour const& from, Claim const& claim, Instant now) const;
  static bool offers(Neighbour const& neighbour, Sha256 const& digest);
  void put_aside(Sha256 const& digest, Instant now);

  std::vector<Followed> documents_;
  std::map<Sha256, std::shared_ptr<std::string const>> torrents_;
  std::map<Peer, Neighbour> neighbours_;
  std::map<FetchId, Fetch> fetches_;
  std::map<Sha256, Instant> aside_;  ///< not to be fetched until then
  std::vector<Topic> news_;
  std::uint64_t version_ = 1;  ///< of what we claim
  FetchId last_fetch_ = 0;
};

}  // namespace imageswarm::exchange
