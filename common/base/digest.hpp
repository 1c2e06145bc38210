#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm {

/// The value of a hash function; written as lower-case hex.
template <std::size_t N>
struct Digest {
  std::array<std::uint8_t, N> bytes{};

  auto operator<=>(Digest const&) const = default;
  std::string hex() const;
  /// Exactly 2·N lower-case hex digits. Fault: doc-field.
  [[nodiscard]] static Result<Digest> parse(std::string_view hex);
};

using Sha1 = Digest<20>;  ///< only for the v1 half of a hybrid torrent
using Sha256 = Digest<32>;
using Sha512 = Digest<64>;

extern template struct Digest<20>;
extern template struct Digest<32>;
extern template struct Digest<64>;

/// Hashes a stream; not thread-safe, one per thread. `D` is Sha1, Sha256 or Sha512.
template <class D>
class Hasher {
public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<std::byte const> data);
  void update(std::string_view data) { update(std::as_bytes(std::span{data})); }
  /// The digest of all that was given; the hasher then starts afresh.
  D finish();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

extern template class Hasher<Sha1>;
extern template class Hasher<Sha256>;
extern template class Hasher<Sha512>;

template <class D>
D digest_of(std::string_view data) {
  Hasher<D> hasher;
  hasher.update(data);
  return hasher.finish();
}

}  // namespace imageswarm
