#include "daemon/exchange/exchange.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::exchange {
namespace {

using namespace std::chrono_literals;

Topic const catalogue = topic_of(document::Kind::catalogue, "https://images.example.org/catalogue.yaml");

Claim claim_of(std::string const& bytes, std::uint64_t serial) {
  return {catalogue, 1, serial, digest_of<Sha256>(bytes), {bytes.size()}};
}

/// One that follows the catalogue and holds this version of it.
void hold(Exchange& host, std::string const& bytes, std::uint64_t serial) {
  host.follow({{catalogue, 1, claim_of(bytes, serial), std::make_shared<std::string>(bytes)}});
}

/// The host of these tests, which neighbours talk to in messages of their own making.
struct Talk {
  Exchange host;
  Exchange::Instant now = Exchange::Instant{} + 24h;

  Talk() { host.follow({{catalogue, 1, {}, {}}}); }

  Exchange::Peer neighbour(std::string address = "10.0.0.7") {
    static Exchange::Peer last = 0;
    host.join(++last, std::move(address));
    (void)host.messages_for(last, now);  // its claims
    return last;
  }
  bool say(Exchange::Peer from, Message const& message) { return host.receive(from, encode(message), now); }
  std::size_t requests_to(Exchange::Peer peer) {
    std::size_t requests = 0;
    for (auto const& message : host.messages_for(peer, now)) {
      requests += std::holds_alternative<Request>(*decode(message)) ? 1 : 0;
    }
    return requests;
  }
  std::optional<Exchange::Offer> offer() { return host.best_offer(catalogue, now); }
};

/// Lets two hosts talk until neither has anything to say.
bool converse(Exchange& one, Exchange& other, Exchange::Instant now) {
  for (bool said = true; said;) {
    said = false;
    for (auto const& message : one.messages_for(1, now)) {
      said = true;
      if (!other.receive(1, message, now)) return false;
    }
    for (auto const& message : other.messages_for(1, now)) {
      said = true;
      if (!one.receive(1, message, now)) return false;
    }
  }
  return true;
}

std::string const old_bytes = "serial: 1", new_bytes(100'000, 'x');

TEST_CASE_METHOD(Talk, "a neighbour's newer document is heard of and fetched") {
  Exchange other;
  hold(host, old_bytes, 1);
  hold(other, new_bytes, 2);
  host.join(1, "10.0.0.7");
  other.join(1, "10.0.0.8");
  REQUIRE(converse(host, other, now));
  CHECK(host.take_news() == std::vector{catalogue});
  CHECK(host.take_news().empty());
  CHECK(other.take_news().empty());
  CHECK_FALSE(other.best_offer(catalogue, now));

  REQUIRE(offer());
  auto const id = host.fetch(*offer(), now);
  REQUIRE(converse(host, other, now));
  REQUIRE_FALSE(host.is_running(id));
  auto const copy = host.end_fetch(id, now);
  REQUIRE(copy);
  CHECK(copy->bytes == new_bytes);
  CHECK(copy->digest == digest_of<Sha256>(new_bytes));
  CHECK(copy->from == "10.0.0.7");
}

TEST_CASE_METHOD(Talk, "a torrent file is found at whoever has it") {
  auto const torrent = std::make_shared<std::string const>(std::string(40'000, 't'));
  auto const empty_handed = neighbour("10.0.0.8");
  auto const has_it = neighbour("10.0.0.9");
  Exchange other;
  other.give(torrent);
  other.join(has_it, "10.0.0.1");
  (void)other.messages_for(has_it, now);

  auto const id = host.fetch(host.offer_of_all(digest_of<Sha256>(*torrent), {torrent->size()}), now);
  while (host.is_running(id)) {
    for (auto const& message : host.messages_for(has_it, now)) CHECK(other.receive(has_it, message, now));
    for (auto const& message : other.messages_for(has_it, now)) CHECK(host.receive(has_it, message, now));
    for (std::size_t i = requests_to(empty_handed); i > 0; --i) {
      CHECK(say(empty_handed, Lack{digest_of<Sha256>(*torrent)}));
    }
  }
  auto const copy = host.end_fetch(id, now);
  REQUIRE(copy);
  CHECK(copy->bytes == *torrent);
  CHECK(copy->from == "10.0.0.9");

  other.take_back(*torrent);
  other.join(5, "10.0.0.2");
  CHECK(other.receive(5, encode(Request{digest_of<Sha256>(*torrent), 0}), now));
  auto const answers = other.messages_for(5, now);
  CHECK(std::holds_alternative<Lack>(*decode(answers.back())));
}

TEST_CASE_METHOD(Talk, "only what is newer, or contradicts what is held, is news") {
  hold(host, old_bytes, 5);
  auto const peer = neighbour();
  auto const is_news = [&](Claim const& claim) {
    REQUIRE(say(peer, Claims{{claim}}));
    return !host.take_news().empty() && offer();
  };
  CHECK(is_news(claim_of(new_bytes, 6)));
  CHECK(is_news(claim_of(new_bytes, 5)));  // other bytes under one serial
  CHECK_FALSE(is_news(claim_of(old_bytes, 5)));
  CHECK_FALSE(is_news(claim_of(old_bytes, 9)));  // which it does not have
  CHECK_FALSE(is_news(claim_of(new_bytes, 4)));

  auto claim = claim_of(new_bytes, 6);
  claim.epoch = 2;
  CHECK_FALSE(is_news(claim));
  claim = claim_of(new_bytes, 6);
  claim.topic = topic_of(document::Kind::approval_list, "https://images.example.org/catalogue.yaml");
  CHECK_FALSE(is_news(claim));
}

TEST_CASE_METHOD(Talk, "a document is never larger than documents are") {
  auto const peer = neighbour();
  auto claim = claim_of(new_bytes, 6);
  claim.size = document::max_document_size;
  REQUIRE(say(peer, Claims{{claim}}));
  CHECK(offer());
  claim.size = document::max_document_size + ByteCount{1};
  REQUIRE(say(peer, Claims{{claim}}));
  CHECK_FALSE(offer());
  claim.size = {};
  REQUIRE(say(peer, Claims{{claim}}));
  CHECK_FALSE(offer());
}

TEST_CASE_METHOD(Talk, "who gives other bytes than were asked for is shut out, and the next one is asked") {
  auto const liar = neighbour("10.0.0.8");
  auto const honest = neighbour("10.0.0.9");
  auto id = host.fetch({digest_of<Sha256>(old_bytes), {old_bytes.size()}, {honest, liar}}, now);
  REQUIRE(requests_to(liar) == 1);
  CHECK_FALSE(say(liar, Block{digest_of<Sha256>(old_bytes), 0, "serial: 2"}));
  CHECK(host.is_running(id));
  REQUIRE(requests_to(honest) == 1);
  CHECK(say(honest, Block{digest_of<Sha256>(old_bytes), 0, old_bytes}));
  auto const copy = host.end_fetch(id, now);
  REQUIRE(copy);
  CHECK(copy->from == "10.0.0.9");
}

TEST_CASE_METHOD(Talk, "a block that is too short or too long shuts out") {
  auto const peer = neighbour();
  (void)host.fetch({digest_of<Sha256>(new_bytes), {new_bytes.size()}, {peer}}, now);
  REQUIRE(requests_to(peer) == 7);
  SECTION("short") {
    CHECK_FALSE(say(peer, Block{digest_of<Sha256>(new_bytes), 0, "x"}));
  }
  SECTION("behind the end") {
    std::string_view rest = new_bytes;
    std::uint64_t offset = 0;
    for (; rest.size() > block_size.value; offset += block_size.value) {
      REQUIRE(say(peer, Block{digest_of<Sha256>(new_bytes), offset, rest.substr(0, block_size.value)}));
      rest.remove_prefix(block_size.value);
    }
    CHECK_FALSE(say(peer, Block{digest_of<Sha256>(new_bytes), offset, std::string{rest} + "x"}));
  }
}

TEST_CASE_METHOD(Talk, "who has a torrent file of another size than an entry says is not to blame") {
  auto const peer = neighbour();
  auto const torrent = new_bytes.substr(0, block_size.value);
  auto const digest = digest_of<Sha256>(torrent);
  auto const too_small = GENERATE(ByteCount{1}, ByteCount{block_size.value - 1});
  auto const id = host.fetch(host.offer_of_all(digest, too_small), now);
  REQUIRE(requests_to(peer) == 1);
  CHECK(say(peer, Block{digest, 0, torrent}));
  CHECK_FALSE(host.end_fetch(id, now));
  auto const other = digest_of<Sha256>(torrent + torrent);
  auto const half = host.fetch(host.offer_of_all(other, block_size), now);
  REQUIRE(requests_to(peer) == 1);
  CHECK(say(peer, Block{other, 0, torrent}));
  CHECK_FALSE(host.end_fetch(half, now));
}

TEST_CASE_METHOD(Talk, "blocks that nobody asked for shut out, but late ones do not") {
  auto const peer = neighbour();
  CHECK_FALSE(say(peer, Block{digest_of<Sha256>(old_bytes), 0, old_bytes}));
  CHECK_FALSE(say(peer, Lack{digest_of<Sha256>(old_bytes)}));
  auto const id = host.fetch({digest_of<Sha256>(old_bytes), {old_bytes.size()}, {peer}}, now);
  REQUIRE(requests_to(peer) == 1);
  CHECK_FALSE(host.end_fetch(id, now));
  CHECK(say(peer, Block{digest_of<Sha256>(old_bytes), 0, old_bytes}));
  CHECK_FALSE(say(peer, Block{digest_of<Sha256>(old_bytes), 0, old_bytes}));
}

TEST_CASE_METHOD(Talk, "not much is asked for ahead") {
  auto const peer = neighbour();
  std::string const large(1'000'000, 'x');
  (void)host.fetch({digest_of<Sha256>(large), {large.size()}, {peer}}, now);
  CHECK(requests_to(peer) == 8);
  CHECK(requests_to(peer) == 0);
  CHECK(say(peer, Block{digest_of<Sha256>(large), 0, std::string_view{large}.substr(0, block_size.value)}));
  CHECK(requests_to(peer) == 1);
}

TEST_CASE_METHOD(Talk, "who is silent or gone is left for the next one, and in the end there is nothing") {
  auto const silent = neighbour();
  auto const gone = neighbour();
  auto const id = host.fetch({digest_of<Sha256>(old_bytes), {old_bytes.size()}, {silent, gone}}, now);
  CHECK(requests_to(gone) == 1);
  host.leave(gone, now);
  CHECK(requests_to(silent) == 1);
  now += 5s;
  host.tick(now);
  CHECK(host.is_running(id));
  now += 1s;
  host.tick(now);
  CHECK_FALSE(host.is_running(id));
  CHECK_FALSE(host.end_fetch(id, now));
  CHECK_FALSE(host.end_fetch(id, now));

  auto const torrent = digest_of<Sha256>("torrent");
  CHECK_FALSE(host.is_running(host.fetch(host.offer_of_all(torrent, {10}), now)));  // nobody waits for it again
  CHECK(say(silent, Lack{digest_of<Sha256>(old_bytes)}));                           // it was only slow
  CHECK(host.is_running(host.fetch(host.offer_of_all(torrent, {10}), now)));
}

TEST_CASE_METHOD(Talk, "who has begun to answer is given the time that the file takes") {
  auto const peer = neighbour();
  auto const digest = digest_of<Sha256>(new_bytes);
  auto const id = host.fetch({digest, {new_bytes.size()}, {peer}}, now);
  REQUIRE(requests_to(peer) == 7);
  CHECK(say(peer, Block{digest, 0, new_bytes.substr(0, block_size.value)}));
  now += 20s;
  host.tick(now);
  CHECK(host.is_running(id));
  now += 2s;
  host.tick(now);
  CHECK_FALSE(host.is_running(id));
}

TEST_CASE_METHOD(Talk, "what nobody gave stands before nothing that somebody may have") {
  hold(host, old_bytes, 5);
  auto const boaster = neighbour();
  auto const honest = neighbour();
  REQUIRE(say(boaster, Claims{{claim_of("nothing that there is", 999)}}));
  REQUIRE(say(honest, Claims{{claim_of(new_bytes, 6)}}));
  auto const id = host.fetch(*offer(), now);
  now += 21s;
  host.tick(now);
  CHECK_FALSE(host.end_fetch(id, now));
  REQUIRE(offer());
  CHECK(offer()->digest == digest_of<Sha256>(new_bytes));
}

TEST_CASE_METHOD(Talk, "a neighbour gets a megabyte in a second and no more") {
  hold(host, new_bytes, 1);
  auto const peer = neighbour();
  for (int i = 0; i < 128; ++i) REQUIRE(say(peer, Request{digest_of<Sha256>(new_bytes), 0}));
  CHECK(host.messages_for(peer, now).size() == 64);
  CHECK(host.messages_for(peer, now).empty());
  now += 1001ms;
  CHECK(host.messages_for(peer, now).size() == 64);
}

TEST_CASE_METHOD(Talk, "who asks without end, or chatters, is shut out") {
  auto const peer = neighbour();
  for (int i = 0; i < 128; ++i) REQUIRE(say(peer, Request{}));
  CHECK_FALSE(say(peer, Request{}));

  auto const chatterer = neighbour();
  for (int i = 0; i < 60; ++i) REQUIRE(say(chatterer, Claims{}));
  CHECK_FALSE(say(chatterer, Claims{}));
  auto const patient = neighbour();
  for (int i = 0; i < 200; ++i) {
    REQUIRE(say(patient, Claims{}));
    now += 2s;
  }
}

TEST_CASE_METHOD(Talk, "what cannot be read shuts out") {
  CHECK_FALSE(host.receive(neighbour(), "nonsense", now));
}

TEST_CASE_METHOD(Talk, "what was refused is not taken again for a while") {
  auto const peer = neighbour();
  REQUIRE(say(peer, Claims{{claim_of(new_bytes, 6)}}));
  REQUIRE(offer());
  host.refuse(digest_of<Sha256>(new_bytes), now);
  CHECK_FALSE(offer());
  (void)host.take_news();
  REQUIRE(say(peer, Claims{{claim_of(new_bytes, 6)}}));
  CHECK(host.take_news().empty());

  SECTION("an older version that somebody else has counts meanwhile") {
    REQUIRE(say(neighbour(), Claims{{claim_of(old_bytes, 5)}}));
    CHECK(offer()->digest == digest_of<Sha256>(old_bytes));
  }
  SECTION("until the time is over") {
    now += 11min;
    host.tick(now);
    CHECK(offer());
  }
}

TEST_CASE_METHOD(Talk, "who offers again and again what has to be refused is shut out") {
  auto const peer = neighbour();
  auto const useless = [&](std::uint64_t serial) {
    auto const bytes = std::to_string(serial);
    bool const welcome = say(peer, Claims{{claim_of(bytes, serial)}});
    host.refuse(digest_of<Sha256>(bytes), now);
    return !welcome;
  };
  for (std::uint64_t serial = 1; serial <= 4; ++serial) CHECK_FALSE(useless(serial));
  CHECK(useless(5));
}

TEST_CASE_METHOD(Talk, "who offers again and again what is of no use here is asked less often, and stays") {
  auto const peer = neighbour();
  auto const offers_in_vain = [&](std::uint64_t serial) {
    auto const bytes = std::to_string(serial);
    CHECK(say(peer, Claims{{claim_of(bytes, serial)}}));
    bool const is_asked = offer().has_value();
    if (is_asked) host.pass_over(catalogue, digest_of<Sha256>(bytes), now);
    return is_asked;
  };
  for (std::uint64_t serial = 1; serial <= 4; ++serial) CHECK(offers_in_vain(serial));
  (void)host.take_news();
  CHECK_FALSE(offers_in_vain(5));
  CHECK(host.take_news().empty());
  REQUIRE(say(neighbour(), Claims{{claim_of(old_bytes, 5)}}));
  CHECK(offer()->digest == digest_of<Sha256>(old_bytes));
  now += 11min;
  host.tick(now);
  CHECK(offers_in_vain(6));
}

TEST_CASE_METHOD(Talk, "neighbours are told when something changes, and then once") {
  auto const peer = neighbour();
  CHECK(host.messages_for(peer, now).empty());
  hold(host, old_bytes, 1);
  auto const told = host.messages_for(peer, now);
  REQUIRE(told.size() == 1);
  CHECK(std::get<Claims>(*decode(told.front())).documents == std::vector{claim_of(old_bytes, 1)});
  hold(host, old_bytes, 1);
  CHECK(host.messages_for(peer, now).empty());
}

}  // namespace
}  // namespace imageswarm::exchange
