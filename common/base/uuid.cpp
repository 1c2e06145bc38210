#include "common/base/uuid.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "common/base/digest.hpp"
#include "common/base/text.hpp"

namespace imageswarm {
namespace {

/// Stamps version and variant (RFC 4122 §4.1.1, §4.1.3).
Uuid stamped(std::span<std::uint8_t const> raw, std::uint8_t version) {
  Uuid uuid;
  std::copy_n(raw.begin(), uuid.bytes.size(), uuid.bytes.begin());
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | version << 4);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
  return uuid;
}

}  // namespace

std::string Uuid::text() const {
  auto text = to_hex(std::as_bytes(std::span{bytes}));
  for (std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  auto digits = lower_case(text);
  bool dashes = digits.size() == 36;
  for (std::size_t at : {8u, 13u, 18u, 23u}) dashes = dashes && digits[at] == '-';
  if (dashes) {
    std::erase(digits, '-');
    if (auto const raw = from_hex(digits); raw && raw->size() == 16) {
      Uuid uuid;
      std::ranges::copy(*raw, uuid.bytes.begin());
      return uuid;
    }
  }
  return fail(Fault::doc_field, "'{}' is not a UUID", printable(text));
}

Uuid Uuid::random() {
  std::array<std::uint8_t, 16> raw{};
  if (RAND_bytes(raw.data(), static_cast<int>(raw.size())) != 1) std::abort();  // no randomness, no identity
  return stamped(raw, 4);
}

Uuid Uuid::named(Uuid const& name_space, std::string_view name) {
  Hasher<Sha1> hasher;
  hasher.update(std::as_bytes(std::span{name_space.bytes}));
  hasher.update(name);
  return stamped(hasher.finish().bytes, 5);
}

}  // namespace imageswarm
