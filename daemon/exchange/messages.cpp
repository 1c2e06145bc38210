#include "daemon/exchange/messages.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "common/base/big_endian.hpp"

namespace imageswarm::exchange {
namespace {

enum class Tag : char { claims = 1, request, block, lack };

constexpr std::size_t digest_size = 32;
constexpr std::size_t claim_size = 2 * digest_size + 2 * sizeof(std::uint64_t) + sizeof(std::uint32_t);
static_assert(max_message == 1 + max_claims * claim_size);

void put(std::string& out, Sha256 const& digest) {
  out.append(digest.bytes.begin(), digest.bytes.end());
}

/// Takes values off the front; the caller has seen that they are there.
class Reader {
public:
  explicit Reader(std::string_view bytes) : rest_{bytes} {}

  std::string_view take(std::size_t size) {
    auto const front = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return front;
  }
  template <class Number>
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (auto const byte : take(sizeof(Number))) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }
  Sha256 digest() {
    Sha256 digest;
    std::memcpy(digest.bytes.data(), take(digest_size).data(), digest_size);
    return digest;
  }
  std::string_view rest() const { return rest_; }

private:
  std::string_view rest_;
};

struct Encoder {
  std::string out;

  void operator()(Claims const& claims) {
    out.push_back(static_cast<char>(Tag::claims));
    for (std::size_t i = 0; i < std::min(claims.documents.size(), max_claims); ++i) {
      auto const& claim = claims.documents[i];
      put(out, claim.topic);
      put_big_endian<std::uint64_t>(out, claim.epoch);
      put_big_endian<std::uint64_t>(out, claim.serial);
      put(out, claim.digest);
      put_big_endian<std::uint32_t>(out, claim.size.value);
    }
  }
  void operator()(Request const& request) { put_place(Tag::request, request.file, request.offset); }
  void operator()(Block const& block) {
    put_place(Tag::block, block.file, block.offset);
    out += block.bytes;
  }
  void operator()(Lack const& lack) {
    out.push_back(static_cast<char>(Tag::lack));
    put(out, lack.file);
  }

private:
  void put_place(Tag tag, Sha256 const& file, std::uint64_t offset) {
    out.push_back(static_cast<char>(tag));
    put(out, file);
    put_big_endian<std::uint32_t>(out, offset);
  }
};

constexpr std::size_t place_size = digest_size + sizeof(std::uint32_t);

std::optional<Message> read_claims(Reader reader) {
  if (reader.rest().size() % claim_size != 0) return std::nullopt;
  Claims claims;
  while (!reader.rest().empty()) {
    auto const topic = reader.digest();
    auto const epoch = reader.number<std::uint64_t>();
    auto const serial = reader.number<std::uint64_t>();
    auto const digest = reader.digest();
    claims.documents.push_back({topic, epoch, serial, digest, {reader.number<std::uint32_t>()}});
  }
  return claims;
}

std::optional<Message> read_block(Reader reader) {
  if (reader.rest().size() <= place_size || reader.rest().size() > place_size + block_size.value) return std::nullopt;
  auto const file = reader.digest();
  auto const offset = reader.number<std::uint32_t>();
  return Block{file, offset, reader.rest()};
}

std::optional<Message> read_request(Reader reader) {
  if (reader.rest().size() != place_size) return std::nullopt;
  auto const file = reader.digest();
  return Request{file, reader.number<std::uint32_t>()};
}

}  // namespace

std::string encode(Message const& message) {
  Encoder encoder;
  std::visit(encoder, message);
  return std::move(encoder.out);
}

std::optional<Message> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > max_message) return std::nullopt;
  Reader reader{bytes.substr(1)};
  switch (static_cast<Tag>(bytes.front())) {
    case Tag::claims:
      return read_claims(reader);
    case Tag::request:
      return read_request(reader);
    case Tag::block:
      return read_block(reader);
    case Tag::lack:
      if (reader.rest().size() == digest_size) return Lack{reader.digest()};
  }
  return std::nullopt;
}

}  // namespace imageswarm::exchange
