#include "common/base/digest.hpp"

#include <openssl/evp.h>

#include <cstdlib>

#include "common/base/text.hpp"

namespace imageswarm {

template <std::size_t N>
std::string Digest<N>::hex() const {
  return to_hex(std::as_bytes(std::span{bytes}));
}

template <std::size_t N>
Result<Digest<N>> Digest<N>::parse(std::string_view hex) {
  auto const decoded = from_hex(hex);
  if (!decoded || decoded->size() != N) {
    return fail(Fault::doc_field, "'{}' is not {} lower-case hex digits", printable(hex), 2 * N);
  }
  Digest digest;
  std::copy(decoded->begin(), decoded->end(), digest.bytes.begin());
  return digest;
}

template struct Digest<20>;
template struct Digest<32>;
template struct Digest<64>;

namespace {
EVP_MD const* algorithm(Sha1*) {
  return EVP_sha1();
}
EVP_MD const* algorithm(Sha256*) {
  return EVP_sha256();
}
EVP_MD const* algorithm(Sha512*) {
  return EVP_sha512();
}

/// The EVP digest calls fail only for want of memory or by wrong use; going on with a wrong digest is no choice.
void must(int done) {
  if (done != 1) std::abort();
}
}  // namespace

template <class D>
struct Hasher<D>::Impl {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  void start() { must(EVP_DigestInit_ex(context.get(), algorithm(static_cast<D*>(nullptr)), nullptr)); }
};

template <class D>
Hasher<D>::Hasher() : impl_{std::make_unique<Impl>()} {
  impl_->start();
}
template <class D>
Hasher<D>::~Hasher() = default;
template <class D>
Hasher<D>::Hasher(Hasher&&) noexcept = default;
template <class D>
Hasher<D>& Hasher<D>::operator=(Hasher&&) noexcept = default;

template <class D>
void Hasher<D>::update(std::span<std::byte const> data) {
  must(EVP_DigestUpdate(impl_->context.get(), data.data(), data.size()));
}

template <class D>
D Hasher<D>::finish() {
  D digest;
  must(EVP_DigestFinal_ex(impl_->context.get(), digest.bytes.data(), nullptr));
  impl_->start();
  return digest;
}

template class Hasher<Sha1>;
template class Hasher<Sha256>;
template class Hasher<Sha512>;

}  // namespace imageswarm
