#include "daemon/exchange/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace imageswarm::exchange {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_requests = 128;               ///< that wait for an answer, of one neighbour
constexpr unsigned max_answers = 64;                    ///< to one neighbour in a second: 1 MiB/s
constexpr unsigned max_claims_messages = 60;            ///< of one neighbour in a minute
constexpr unsigned max_useless = 3;                     ///< copies of one neighbour, be they refused or passed over
constexpr std::size_t max_aside = 1000;                 ///< digests
constexpr std::size_t max_sources = 8;                  ///< that are asked for one file
constexpr std::uint64_t window = 8 * block_size.value;  ///< that is asked for ahead
constexpr auto aside_for = 10min;

/// In which a neighbour begins to answer: a silent one shall hold nobody up.
constexpr auto first_answer = 5s;
/// And then it gives 64 KiB/s at least.
std::chrono::seconds patience_for(ByteCount size) {
  return 20s + std::chrono::seconds{size.value >> 16};
}

std::uint64_t block_at(std::uint64_t offset, std::uint64_t size) {
  return std::min(block_size.value, size - offset);
}

}  // namespace

Topic topic_of(document::Kind kind, std::string_view url) {
  return digest_of<Sha256>(fmt::format("{}\n{}", document::name_of(kind), url));
}

void Exchange::follow(std::vector<Followed> documents) {
  bool const same = std::ranges::equal(documents, documents_, {}, &Followed::held, &Followed::held);
  documents_ = std::move(documents);
  version_ += same ? 0 : 1;
}

void Exchange::give(std::shared_ptr<std::string const> const& torrent_file) {
  torrents_.insert_or_assign(digest_of<Sha256>(*torrent_file), torrent_file);
}

void Exchange::take_back(std::string_view torrent_file) {
  torrents_.erase(digest_of<Sha256>(torrent_file));
}

void Exchange::join(Peer peer, std::string address) {
  neighbours_[peer].address = std::move(address);
}

void Exchange::leave(Peer peer, Instant now) {
  neighbours_.erase(peer);
  for (auto& [id, fetch] : fetches_) {
    if (fetch.from == peer) ask_next(fetch, now);
  }
}

bool Exchange::receive(Peer peer, std::string_view message, Instant now) {
  auto const at = neighbours_.find(peer);
  auto decoded = decode(message);
  if (at == neighbours_.end() || !decoded) return false;
  auto& from = at->second;
  if (auto* const claims = std::get_if<Claims>(&*decoded)) return hear(from, std::move(*claims), now);
  if (auto const* const request = std::get_if<Request>(&*decoded)) {
    from.requests.push_back(*request);
    return from.requests.size() <= max_requests;
  }
  if (from.owed == 0) return false;
  from.silent = false;
  --from.owed;  // perhaps to a fetch that has ended meanwhile
  if (auto const* const block = std::get_if<Block>(&*decoded)) return take(peer, *block, now);
  for (auto& [id, fetch] : fetches_) {
    if (fetch.from == peer && fetch.offer.digest == std::get<Lack>(*decoded).file) ask_next(fetch, now);
  }
  return true;
}

bool Exchange::hear(Neighbour& from, Claims claims, Instant now) {
  if (now - from.claims_since > 1min) {
    from.claims_since = now;
    from.claims_heard = 0;
  }
  from.claims = std::move(claims.documents);
  for (auto const& claim : from.claims) {
    if (is_news(from, claim, now)) news_.push_back(claim.topic);
  }
  return ++from.claims_heard <= max_claims_messages && from.refused <= max_useless;
}

bool Exchange::is_news(Neighbour const& from, Claim const& claim, Instant now) const {
  auto const about = std::ranges::find(documents_, claim.topic, &Followed::topic);
  if (about == documents_.end() || claim.epoch != about->epoch) return false;
  if (claim.size.value == 0 || claim.size > document::max_document_size) return false;
  auto const in_vain = from.in_vain.find(claim.topic);
  if (in_vain != from.in_vain.end() && in_vain->second > max_useless) return false;
  auto const aside = aside_.find(claim.digest);
  if (aside != aside_.end() && now < aside->second) return false;
  auto const& held = about->held;
  if (held && claim.digest == held->digest) return false;  // whatever serial is claimed for it
  return !held || claim.serial >= held->serial;
}

/// A file arrives in order from one neighbour at a time, so that it takes no more memory than has been sent.
bool Exchange::take(Peer peer, Block const& block, Instant now) {
  auto const at = std::ranges::find_if(fetches_, [&](auto const& each) {
    auto const& fetch = each.second;
    return fetch.from == peer && fetch.offer.digest == block.file && fetch.copy.bytes.size() == block.offset;
  });
  if (at == fetches_.end()) return true;
  auto& fetch = at->second;
  if (block.bytes.size() == block_at(block.offset, fetch.offer.size.value)) {
    if (block.offset == 0) fetch.deadline = now + patience_for(fetch.offer.size);
    fetch.copy.bytes += block.bytes;
    fetch.hasher.update(block.bytes);
    if (fetch.copy.bytes.size() < fetch.offer.size.value) return true;
    fetch.complete = fetch.hasher.finish() == fetch.offer.digest;
  }
  if (fetch.complete) {
    fetch.from.reset();
  } else {
    ask_next(fetch, now);
  }
  return fetch.complete || !fetch.offer.claimed;  // else what was asked for may be wrong
}

void Exchange::ask_next(Fetch& fetch, Instant now) {
  fetch.from.reset();
  fetch.copy.bytes = {};
  fetch.hasher = {};
  fetch.asked = 0;
  while (!fetch.from && !fetch.offer.from.empty()) {
    auto const next = neighbours_.find(fetch.offer.from.back());
    fetch.offer.from.pop_back();
    if (next == neighbours_.end() || next->second.silent) continue;
    fetch.from = next->first;
    fetch.copy.from = next->second.address;
    fetch.deadline = now + first_answer;
  }
}

std::vector<std::string> Exchange::messages_for(Peer peer, Instant now) {
  std::vector<std::string> messages;
  auto const at = neighbours_.find(peer);
  if (at == neighbours_.end()) return messages;
  auto& to = at->second;
  if (std::exchange(to.told, version_) != version_) {
    Claims claims;
    for (auto const& document : documents_) {
      if (document.held) claims.documents.push_back(*document.held);
    }
    messages.push_back(encode(claims));
  }
  for (auto& [id, fetch] : fetches_) {
    if (fetch.from != peer) continue;
    auto const until = std::min(fetch.offer.size.value, fetch.copy.bytes.size() + window);
    while (fetch.asked < until) {
      messages.push_back(encode(Request{fetch.offer.digest, fetch.asked}));
      fetch.asked += block_at(fetch.asked, fetch.offer.size.value);
      ++to.owed;
    }
  }
  if (now - to.second > 1s) {
    to.second = now;
    to.answers = 0;
  }
  for (; to.answers < max_answers && !to.requests.empty(); ++to.answers) {
    messages.push_back(answer(to.requests.front()));
    to.requests.pop_front();
  }
  return messages;
}

std::string Exchange::answer(Request const& request) const {
  auto const bytes = file(request.file);
  if (!bytes || request.offset >= bytes->size()) return encode(Lack{request.file});
  return encode(Block{request.file, request.offset, std::string_view{*bytes}.substr(request.offset, block_size.value)});
}

std::shared_ptr<std::string const> Exchange::file(Sha256 const& digest) const {
  if (auto const at = torrents_.find(digest); at != torrents_.end()) return at->second;
  for (auto const& document : documents_) {
    if (document.held && document.held->digest == digest) return document.bytes;
  }
  return nullptr;
}

void Exchange::tick(Instant now) {
  for (auto& [id, fetch] : fetches_) {
    if (!fetch.from || now <= fetch.deadline) continue;
    if (auto const at = neighbours_.find(*fetch.from); at != neighbours_.end()) at->second.silent = true;
    ask_next(fetch, now);
  }
  std::erase_if(aside_, [now](auto const& each) { return now >= each.second; });
  for (auto& [peer, neighbour] : neighbours_) {
    if (now - neighbour.in_vain_since <= aside_for) continue;
    neighbour.in_vain_since = now;
    neighbour.in_vain.clear();
  }
}

std::vector<Topic> Exchange::take_news() {
  return std::exchange(news_, {});
}

std::optional<Exchange::Offer> Exchange::best_offer(Topic const& topic, Instant now) const {
  Claim const* best = nullptr;
  for (auto const& [peer, neighbour] : neighbours_) {
    for (auto const& claim : neighbour.claims) {
      if (claim.topic != topic || !is_news(neighbour, claim, now)) continue;
      if (!best || claim.serial > best->serial) best = &claim;
    }
  }
  if (!best) return std::nullopt;
  Offer offer{best->digest, best->size, {}};
  for (auto const& [peer, neighbour] : neighbours_) {
    if (offer.from.size() < max_sources && std::ranges::find(neighbour.claims, *best) != neighbour.claims.end()) {
      offer.from.push_back(peer);
    }
  }
  return offer;
}

Exchange::Offer Exchange::offer_of_all(Sha256 const& digest, ByteCount size) const {
  Offer offer{digest, size, {}, false};
  for (auto const& [peer, neighbour] : neighbours_) {
    if (offer.from.size() < max_sources) offer.from.push_back(peer);
  }
  return offer;
}

bool Exchange::offers(Neighbour const& neighbour, Sha256 const& digest) {
  return std::ranges::count(neighbour.claims, digest, &Claim::digest) > 0;
}

void Exchange::put_aside(Sha256 const& digest, Instant now) {
  if (aside_.size() >= max_aside) aside_.erase(aside_.begin());
  aside_[digest] = now + aside_for;
}

void Exchange::pass_over(Topic const& topic, Sha256 const& digest, Instant now) {
  put_aside(digest, now);
  for (auto& [peer, neighbour] : neighbours_) {
    if (offers(neighbour, digest)) ++neighbour.in_vain[topic];
  }
}

void Exchange::refuse(Sha256 const& digest, Instant now) {
  put_aside(digest, now);
  for (auto& [peer, neighbour] : neighbours_) {
    if (offers(neighbour, digest)) ++neighbour.refused;
  }
}

Exchange::FetchId Exchange::fetch(Offer offer, Instant now) {
  auto& fetch = fetches_[++last_fetch_];
  fetch.copy.digest = offer.digest;
  fetch.offer = std::move(offer);
  ask_next(fetch, now);
  return last_fetch_;
}

bool Exchange::is_running(FetchId id) const {
  auto const at = fetches_.find(id);
  return at != fetches_.end() && at->second.from.has_value();
}

std::optional<Copy> Exchange::end_fetch(FetchId id, Instant now) {
  auto fetch = fetches_.extract(id);
  if (!fetch) return std::nullopt;
  if (fetch.mapped().complete) return std::move(fetch.mapped().copy);
  put_aside(fetch.mapped().offer.digest, now);
  return std::nullopt;
}

}  // namespace imageswarm::exchange
