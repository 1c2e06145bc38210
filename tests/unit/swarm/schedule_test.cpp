#include "daemon/swarm/offers/schedule.hpp"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <numeric>
#include <set>

using namespace imageswarm::swarm;
using namespace std::chrono_literals;
using Piece = Schedule::Piece;
using Peer = Schedule::Peer;

namespace {

constexpr std::size_t any = 1000;  // peers at once

/// A schedule whose clock the test turns.
struct Source {
  explicit Source(Piece pieces, Piece first = 0) : schedule{pieces, first} {}

  std::optional<Schedule::Offer> next(std::size_t peers_at_once = any) { return schedule.next(now, peers_at_once); }
  std::vector<Schedule::Offer> all_open(std::size_t peers_at_once = any) {
    std::vector<Schedule::Offer> offers;
    while (auto const offer = next(peers_at_once)) offers.push_back(*offer);
    return offers;
  }
  void take(Schedule::Offer const& offer, std::chrono::milliseconds after = 1ms) {
    now += after;
    schedule.taken(offer.peer, offer.piece, now);
  }

  Schedule schedule;
  Schedule::Instant now;
};

}  // namespace

TEST_CASE("each piece goes to one peer, in ascending order, until all are out", "[offers]") {
  Source source{10, 7};
  for (int peer = 0; peer < 3; ++peer) source.schedule.join(true);
  std::vector<Piece> order;
  while (order.size() < 10) {
    auto const offer = source.next();
    REQUIRE(offer);
    order.push_back(offer->piece);
    source.take(*offer);
  }
  CHECK(order == std::vector<Piece>{7, 8, 9, 0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("peers get offers in turns", "[offers]") {
  Source source{9};
  for (int peer = 0; peer < 3; ++peer) source.schedule.join(true);
  std::vector<int> offers(3);
  for (int piece = 0; piece < 9; ++piece) {
    auto const offer = source.next();
    REQUIRE(offer);
    ++offers[offer->peer];
    source.take(*offer);
  }
  CHECK(offers == std::vector<int>{3, 3, 3});
}

TEST_CASE("a piece is offered again only when all were, and to somebody else", "[offers]") {
  Source source{4};
  auto const one = source.schedule.join(true), other = source.schedule.join(true);
  std::set<Piece> of_one, of_other;
  for (int offers = 0; offers < 8; ++offers) {
    auto const offer = source.next();
    REQUIRE(offer);
    auto& mine = offer->peer == one ? of_one : of_other;
    CHECK(mine.insert(offer->piece).second);
    CHECK((of_one.size() + of_other.size() <= 4 || source.schedule.offered(one, offer->piece)));
    if (offers == 3) CHECK(of_one.size() + of_other.size() == 4);
    source.take(*offer);
  }
  CHECK(of_one.size() == 4);
  CHECK(of_other.size() == 4);
  CHECK_FALSE(source.next());
  CHECK(source.schedule.offered(other, 0));
}

TEST_CASE("only what was offered may be asked for", "[offers]") {
  Source source{4};
  auto const one = source.schedule.join(true), other = source.schedule.join(true);
  auto const offer = source.next();
  REQUIRE(offer);
  CHECK(source.schedule.offered(offer->peer, offer->piece));
  CHECK_FALSE(source.schedule.offered(offer->peer == one ? other : one, offer->piece));
  CHECK_FALSE(source.schedule.offered(offer->peer, offer->piece + 1));
  CHECK_FALSE(source.schedule.offered(offer->peer, 4));  // no such piece
  CHECK_FALSE(source.schedule.offered(99, 0));           // no such peer
}

TEST_CASE("two offers at first, and then what the uplink carries", "[offers]") {
  auto const [peers, most] = GENERATE(table<int, std::size_t>({{50, 2 + 50}, {12, 2 + 24}, {3, 2 + 12}, {1, 2 + 12}}));
  CAPTURE(peers);
  Source source{1000};
  for (int peer = 0; peer < peers; ++peer) source.schedule.join(true);
  auto open = source.all_open();
  CHECK(open.size() == 2);
  for (int taken = 0; taken < 40; ++taken) {
    source.take(open.front());
    open.erase(open.begin());
    for (auto const& offer : source.all_open()) open.push_back(offer);
  }
  CHECK(open.size() == most);
}

TEST_CASE("a link that becomes slow gets nothing new until most of the others are taken", "[offers]") {
  Source source{1000};
  for (int peer = 0; peer < 50; ++peer) source.schedule.join(true);
  auto open = source.all_open();
  for (int taken = 0; taken < 40; ++taken) {
    source.take(open.front());
    open.erase(open.begin());
    for (auto const& offer : source.all_open()) open.push_back(offer);
  }
  source.now += 1s;
  for (; open.size() > 14; open.erase(open.begin())) {  // 2, and ten in a second, and a quarter of them
    CHECK(source.all_open().empty());
    source.take(open.front(), 100ms);
  }
  CHECK(source.all_open().empty());
  source.take(open.front(), 100ms);
  CHECK(source.all_open().size() == 1);
}

TEST_CASE("peers share what may be open", "[offers]") {
  for (auto const& [peers, most, all] : {std::tuple{1, 7, 7}, {3, 3, 8}, {50, 1, 22}}) {
    Source source{1000};
    for (int peer = 0; peer < peers; ++peer) source.schedule.join(true);
    for (int taken = 0; taken < 16; ++taken) {
      auto const offer = source.next();
      REQUIRE(offer);
      source.take(*offer);
    }
    std::vector<int> open(static_cast<std::size_t>(peers));
    for (auto const& offer : source.all_open()) ++open[offer.peer];
    CAPTURE(peers);
    CHECK(*std::max_element(open.begin(), open.end()) == most);
    CHECK(std::accumulate(open.begin(), open.end(), 0) == all);
  }
}

TEST_CASE("at most so many peers have open offers", "[offers]") {
  Source source{100};
  for (int peer = 0; peer < 20; ++peer) source.schedule.join(true);
  for (int taken = 0; taken < 30; ++taken) {
    auto const offer = source.next(1);
    REQUIRE(offer);
    source.take(*offer);
  }
  std::set<Peer> peers;
  for (auto const& offer : source.all_open(3)) peers.insert(offer.peer);
  CHECK(peers.size() == 3);
}

TEST_CASE("when more peers want offers than may have them, each has its turn", "[offers]") {
  Source source{1000};
  for (int peer = 0; peer < 6; ++peer) source.schedule.join(true);
  std::map<Peer, int> offers;
  std::deque<Schedule::Offer> open;
  for (int made = 0; made < 60;) {
    for (; auto const offer = source.next(2); ++made) {
      ++offers[offer->peer];
      open.push_back(*offer);
    }
    REQUIRE_FALSE(open.empty());
    source.take(open.front());
    open.pop_front();
  }
  REQUIRE(offers.size() == 6);
  for (auto const& [peer, made] : offers) CHECK(made >= 7);
}

TEST_CASE("no second copy goes out while a first one does", "[offers]") {
  Source source{2};
  source.schedule.join(true);
  auto const open = source.all_open();
  REQUIRE(open.size() == 2);
  auto const other = source.schedule.join(true);
  source.take(open[0]);
  CHECK_FALSE(source.next());
  source.now += 900ms;
  source.schedule.progressed(open[1].peer, open[1].piece, source.now);
  source.now += 900ms;
  CHECK_FALSE(source.next());
  source.take(open[1]);
  CHECK(source.next()->peer == other);
}

TEST_CASE("when a peer leaves, what only it had is free again", "[offers]") {
  Source source{2};
  auto const one = source.schedule.join(true);
  auto const open = source.all_open();
  REQUIRE(open.size() == 2);
  source.schedule.taken(one, 0, source.now);
  source.schedule.leave(one);
  auto const other = source.schedule.join(true);
  CHECK(source.next() == Schedule::Offer{other, 1});
  CHECK(source.next() == Schedule::Offer{other, 0});
}

TEST_CASE("what a complete peer took stays out when it leaves", "[offers]") {
  Source source{3};
  auto const one = source.schedule.join(true);
  for (Piece const piece : {0u, 1u, 2u}) source.schedule.announced(one, piece);
  source.schedule.leave(one);
  auto const other = source.schedule.join(true);
  source.schedule.announced(other, 0);
  source.schedule.leave(other);
  source.schedule.join(true);
  // The other had piece 0 alone of its own; 0, 1 and 2 are all with the first.
  auto const offer = source.next();
  REQUIRE(offer);
  CHECK(offer->piece == 0);
  source.take(*offer);
  CHECK(source.next()->piece == 1);
}

TEST_CASE("an offer that nobody comes for goes to somebody else, and the first may still take it", "[offers]") {
  Source source{3};
  auto const one = source.schedule.join(true);
  REQUIRE(source.all_open() == std::vector<Schedule::Offer>{{one, 0}, {one, 1}});
  auto const other = source.schedule.join(true);
  source.now += 5'999ms;
  CHECK(source.all_open().empty());
  source.now += 1ms;
  CHECK(source.next() == Schedule::Offer{other, 1});
  CHECK(source.next() == Schedule::Offer{one, 2});
  CHECK(source.schedule.offered(one, 1));
}

TEST_CASE("an offer on a slow link lasts as long as bytes go out", "[offers]") {
  Source source{1};
  auto const one = source.schedule.join(true);
  REQUIRE(source.next());
  auto const other = source.schedule.join(true);
  source.now += 1s;  // nobody comes for the first copy yet
  REQUIRE(source.next() == Schedule::Offer{other, 0});
  for (int seconds = 0; seconds < 60; ++seconds) {
    source.now += 1s;
    source.schedule.progressed(one, 0, source.now);
    source.schedule.progressed(other, 0, source.now);
    source.next();
  }
  source.schedule.leave(other);
  auto const third = source.schedule.join(true);
  CHECK(source.next() == Schedule::Offer{third, 0});
}

TEST_CASE("nobody waits for a peer to come for what it has", "[offers]") {
  Source source{10};
  auto const peer = source.schedule.join(true);
  REQUIRE(source.all_open().size() == 2);  // before it says what it has
  for (Piece piece = 0; piece < 8; ++piece) source.schedule.announced(peer, piece);
  CHECK(source.all_open() == std::vector<Schedule::Offer>{{peer, 8}, {peer, 9}});
}

TEST_CASE("what any peer has already is offered last", "[offers]") {
  Source source{4};
  auto const elsewhere = source.schedule.join(false);
  source.schedule.announced(elsewhere, 0);
  source.schedule.announced(elsewhere, 2);
  source.schedule.announced(elsewhere, 4);  // no such piece
  source.schedule.join(true);
  std::vector<Piece> order;
  while (order.size() < 4) {
    auto const offer = source.next();
    REQUIRE(offer);
    CHECK(offer->peer != elsewhere);
    order.push_back(offer->piece);
    source.take(*offer);
  }
  CHECK(order == std::vector<Piece>{1, 3, 0, 2});
}

TEST_CASE("property: while some piece is with nobody, no offer makes a second copy", "[offers]") {
  rc::prop("", [] {
    auto const pieces = *rc::gen::inRange<Piece>(1, 40);
    Source source{pieces, *rc::gen::inRange<Piece>(0, 40)};
    std::map<Peer, std::set<Piece>> has;  // as we know it: announced, or offered and not lapsed
    std::vector<Schedule::Offer> open;
    auto const copies = [&](Piece piece) {
      return std::count_if(has.begin(), has.end(), [&](auto const& peer) { return peer.second.contains(piece); });
    };
    for (int step = 0; step < 200; ++step) {
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          if (has.size() < 6) has[source.schedule.join(true)];
          break;
        case 1:
          if (has.size() > 1 && has.begin()->second.size() < pieces) {
            std::erase_if(open, [&](auto const& offer) { return offer.peer == has.begin()->first; });
            source.schedule.leave(has.begin()->first);
            has.erase(has.begin());
          }
          break;
        case 2:
          if (!has.empty()) {
            auto const piece = *rc::gen::inRange<Piece>(0, pieces);
            source.schedule.announced(has.rbegin()->first, piece);
            has.rbegin()->second.insert(piece);
          }
          break;
        case 3:
        case 4:
          if (!open.empty()) {
            source.take(open.back());
            open.pop_back();
          }
          break;
        default:
          if (auto const offer = source.next()) {
            auto& mine = has[offer->peer];
            RC_ASSERT(!mine.contains(offer->piece));
            auto const now_out = copies(offer->piece);
            for (Piece piece = 0; piece < pieces; ++piece) {
              if (!mine.contains(piece)) RC_ASSERT(copies(piece) >= now_out);
            }
            mine.insert(offer->piece);
            open.push_back(*offer);
          }
      }
    }
  });
}
