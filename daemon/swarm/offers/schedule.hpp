#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace imageswarm::swarm {

/// How a source paces its offers; other values are for tests and measurements (docs/design.md, "The source's offers").
struct Pace {
  std::chrono::milliseconds ahead{1'000};     ///< so much of the uplink's time is offered
  std::chrono::milliseconds brisk{1'000};     ///< an offer that moves: a byte of it went out within
  std::chrono::milliseconds patience{6'000};  ///< without a byte of an offer, until somebody else gets it
};

/// Which piece a source offers to whom next. No piece goes to a second peer while there is one that nobody has: the
/// copies that a source sends are what a swarm waits for. Knows neither sockets nor clocks.
class Schedule {
public:
  using Instant = std::chrono::steady_clock::time_point;
  using Piece = std::uint32_t;
  using Peer = std::uint32_t;
  struct Offer {
    Peer peer;
    Piece piece;
    bool operator==(Offer const&) const = default;
  };

  /// Pieces are offered in ascending order from `first` on, and then from 0.
  Schedule(Piece pieces, Piece first, Pace pace = {});

  /// A peer that has nothing as yet. Only what it announces counts when it is not `served`: it never gets an offer.
  Peer join(bool served);
  /// Its offers are free again, and what only it had; what a complete peer had stays in the swarm.
  void leave(Peer peer);
  /// It has the piece, and will not come for an offer of it.
  void announced(Peer peer, Piece piece);
  /// A part of what it was offered went out.
  void progressed(Peer peer, Piece piece, Instant now);
  /// All of it did.
  void taken(Peer peer, Piece piece, Instant now);
  /// May it ask for this piece? Once offered, for ever: an offer cannot be taken back.
  bool offered(Peer peer, Piece piece) const;

  /// The next offer, which counts as made; nothing if enough are open. At most `peers_at_once` peers have open ones.
  std::optional<Offer> next(Instant now, std::size_t peers_at_once);

private:
  enum class Standing : std::uint8_t { lacks, counted, lapsed };
  struct Open {
    Piece piece;
    Instant heard;
  };
  struct Known {
    bool served;
    std::vector<Standing> pieces;
    Piece lacking;
    std::vector<Open> open;
    std::uint64_t offers = 0;  ///< ever made to it
    std::size_t turn = 0;      ///< and since it last had none open
  };

  void count(Known& known, Piece piece);
  void lapse(Instant now);
  std::size_t window(Instant now, std::size_t sharing);
  std::size_t wanting() const;
  bool first_copies_go_out(Instant now) const;
  std::optional<Piece> scarcest(Known const& known);

  Pace pace_;
  std::map<Peer, Known> peers_;
  Peer next_peer_ = 0;
  std::vector<std::uint32_t> copies_;  ///< by piece: peers that have it or an offer of it
  std::uint32_t fewest_ = 0;           ///< no piece has fewer copies
  Piece cursor_;                       ///< where the search for the scarcest starts
  std::size_t open_ = 0;               ///< offers that are open
  std::deque<Instant> taken_;          ///< of late: when an offer was taken
};

}  // namespace imageswarm::swarm
