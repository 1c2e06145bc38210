#include "common/base/digest.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace imageswarm {
namespace {

TEST_CASE("digests are those of the standard's examples") {
  CHECK(digest_of<Sha1>("abc").hex() == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(digest_of<Sha256>("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(
      digest_of<Sha512>("abc").hex() ==
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
      "2a9ac94fa54ca49f");
}

TEST_CASE("a stream in pieces has the digest of the whole, and the hasher starts afresh") {
  Hasher<Sha256> hasher;
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  CHECK(hasher.finish() == digest_of<Sha256>("abc"));
  CHECK(hasher.finish() == digest_of<Sha256>(""));
  Hasher<Sha256> moved{std::move(hasher)};
  moved.update("abc");
  CHECK(moved.finish() == digest_of<Sha256>("abc"));
}

TEST_CASE("a digest is read in lower-case hex of its own length") {
  auto const hex = digest_of<Sha1>("abc").hex();
  CHECK(Sha1::parse(hex) == digest_of<Sha1>("abc"));
  for (auto const& text : {std::string{}, hex.substr(1), hex + "00", std::string{"A"} + hex.substr(1), hex + "\n"}) {
    INFO(text);
    CHECK(Sha1::parse(text).error().fault == Fault::doc_field);
  }
}

}  // namespace
}  // namespace imageswarm
