#include "daemon/swarm/offers/schedule.hpp"

#include <algorithm>
#include <tuple>

namespace imageswarm::swarm {

Schedule::Schedule(Piece pieces, Piece first, Pace pace) : pace_{pace}, copies_(pieces), cursor_{first % pieces} {}

Schedule::Peer Schedule::join(bool served) {
  auto const pieces = static_cast<Piece>(copies_.size());
  peers_[next_peer_] = {served, std::vector<Standing>(pieces, Standing::lacks), pieces, {}};
  return next_peer_++;
}

void Schedule::leave(Peer peer) {
  auto const found = peers_.find(peer);
  if (found == peers_.end()) return;
  auto const& known = found->second;
  open_ -= known.open.size();
  for (Piece piece = 0; known.lacking > 0 && piece < copies_.size(); ++piece) {
    if (known.pieces[piece] == Standing::counted) fewest_ = std::min(fewest_, --copies_[piece]);
  }
  peers_.erase(found);
}

void Schedule::count(Known& known, Piece piece) {
  auto& standing = known.pieces[piece];
  if (standing == Standing::counted) return;
  if (standing == Standing::lacks) --known.lacking;
  standing = Standing::counted;
  ++copies_[piece];
}

void Schedule::announced(Peer peer, Piece piece) {
  auto const found = peers_.find(peer);
  if (found == peers_.end() || piece >= copies_.size()) return;
  auto& known = found->second;
  count(known, piece);
  open_ -= std::erase_if(known.open, [&](Open const& open) { return open.piece == piece; });
}

void Schedule::progressed(Peer peer, Piece piece, Instant now) {
  auto const found = peers_.find(peer);
  if (found == peers_.end()) return;
  for (auto& open : found->second.open) {
    if (open.piece == piece) open.heard = now;
  }
}

void Schedule::taken(Peer peer, Piece piece, Instant now) {
  auto const found = peers_.find(peer);
  if (found == peers_.end()) return;
  auto& offers = found->second.open;
  auto const open = std::find_if(offers.begin(), offers.end(), [&](Open const& other) { return other.piece == piece; });
  if (open == offers.end()) return;
  taken_.push_back(now);
  offers.erase(open);
  --open_;
}

bool Schedule::offered(Peer peer, Piece piece) const {
  auto const found = peers_.find(peer);
  return found != peers_.end() && piece < copies_.size() && found->second.pieces[piece] != Standing::lacks;
}

/// What a peer does not come for, or no longer, is free for others.
void Schedule::lapse(Instant now) {
  for (auto& [peer, known] : peers_) {
    for (auto const& open : known.open) {
      if (now - open.heard < pace_.patience) continue;
      known.pieces[open.piece] = Standing::lapsed;
      fewest_ = std::min(fewest_, --copies_[open.piece]);
    }
    open_ -= std::erase_if(known.open, [&](Open const& open) { return now - open.heard >= pace_.patience; });
  }
}

/// How many offers may be open, when so many peers share them: what the uplink carries in a quarter of a second, or a
/// few for each peer, but no more than it carries in a second; and a quarter more so that it can grow. With less it
/// would idle while offers and requests travel, and what is offered to many at once arrives late at all of them.
std::size_t Schedule::window(Instant now, std::size_t sharing) {
  while (!taken_.empty() && now - taken_.front() >= pace_.ahead) taken_.pop_front();
  auto const carried = taken_.size() + taken_.size() / 4;
  return 2 + std::max(carried / 4, std::min(carried, sharing * 2));
}

/// Peers that may be made offers.
std::size_t Schedule::wanting() const {
  return static_cast<std::size_t>(std::count_if(
      peers_.begin(), peers_.end(), [](auto const& peer) { return peer.second.served && peer.second.lacking > 0; }));
}

/// Then second copies have to wait: should the source die now, these pieces would be lost.
bool Schedule::first_copies_go_out(Instant now) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](auto const& peer) {
    auto const& open = peer.second.open;
    return std::any_of(open.begin(), open.end(),
                       [&](Open const& offer) { return copies_[offer.piece] == 1 && now - offer.heard < pace_.brisk; });
  });
}

std::optional<Schedule::Piece> Schedule::scarcest(Known const& known) {
  std::optional<Piece> best;
  auto fewest = ~std::uint32_t{0};
  auto const pieces = static_cast<Piece>(copies_.size());
  for (Piece step = 0, piece = cursor_; step < pieces; ++step, piece = piece + 1 == pieces ? 0 : piece + 1) {
    fewest = std::min(fewest, copies_[piece]);
    if (known.pieces[piece] != Standing::lacks || (best && copies_[piece] >= copies_[*best])) continue;
    best = piece;
    if (copies_[piece] == fewest_) break;
  }
  if (!best || copies_[*best] != fewest_) fewest_ = fewest;  // then all were looked at
  return best;
}

std::optional<Schedule::Offer> Schedule::next(Instant now, std::size_t peers_at_once) {
  lapse(now);
  auto const wanting = this->wanting();
  auto const sharing = std::clamp<std::size_t>(wanting, 1, peers_at_once);
  auto const open = window(now, sharing);
  if (open_ >= open) return {};
  auto const most = (open + sharing - 1) / sharing;
  auto const busy = static_cast<std::size_t>(
      std::count_if(peers_.begin(), peers_.end(), [](auto const& peer) { return !peer.second.open.empty(); }));
  std::pair<Peer const, Known>* chosen = nullptr;
  for (auto& peer : peers_) {
    auto const& known = peer.second;
    if (!known.served || known.lacking == 0 || known.open.size() >= most) continue;
    if (known.open.empty() ? busy >= peers_at_once : wanting > peers_at_once && known.turn >= most) continue;
    auto const rank = [](Known const& one) { return std::tuple{one.open.size(), one.offers}; };
    if (!chosen || rank(known) < rank(chosen->second)) chosen = &peer;
  }
  if (!chosen) return {};
  auto& [peer, known] = *chosen;
  if (known.open.empty()) known.turn = 0;
  auto const piece = scarcest(known);
  if (!piece) return {};
  if (copies_[*piece] > 0 && first_copies_go_out(now)) return {};
  cursor_ = *piece;
  count(known, *piece);
  known.open.push_back({*piece, now});
  ++known.offers;
  ++known.turn;
  ++open_;
  return Offer{peer, *piece};
}

}  // namespace imageswarm::swarm
