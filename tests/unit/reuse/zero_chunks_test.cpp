#include "daemon/reuse/zero_chunks.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "common/image/compress.hpp"
#include "daemon/reuse/fill.hpp"
#include "tests/support/sample_torrent.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace imageswarm;

namespace {

std::string packed(std::string const& content) {
  auto const bytes = image::pack_chunk(std::as_bytes(std::span{content}));
  REQUIRE(bytes);
  return {reinterpret_cast<char const*>(bytes->data()), bytes->size()};
}

}  // namespace

TEST_CASE("chunks of zeros are made here, of their own size and no other", "[reuse]") {
  test::TemporaryDirectory const directory;
  auto const zeros = packed(std::string((128_KiB).value, '\0'));
  auto const wanted = torrent::piece_hashes_of(
      test::torrent_of_chunks({zeros, packed("content"), zeros, packed(std::string((64_KiB).value, '\0'))}).admitted());
  REQUIRE(reuse::make_zero_chunks(directory.path(), wanted, 128_KiB));
  auto const filled = reuse::fill(directory.path(), wanted, {}, {});
  REQUIRE(filled);
  CHECK(filled->pieces == std::vector{true, false, true, false});
  CHECK(filled->bytes.value == 2 * zeros.size());
}
