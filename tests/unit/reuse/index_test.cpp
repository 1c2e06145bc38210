#include "daemon/reuse/index.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace imageswarm;
using reuse::Place;

namespace {

/// Pieces by their letters: equal letters, equal pieces.
std::vector<Sha256> pieces(std::string_view letters) {
  std::vector<Sha256> digests;
  for (auto const letter : letters) digests.push_back(digest_of<Sha256>(std::string_view{&letter, 1}));
  return digests;
}

torrent::PieceHashes wanted(std::vector<std::string_view> files) {
  torrent::PieceHashes hashes{16_KiB, {}};
  for (auto const letters : files) hashes.files.push_back({"file", {letters.size() * (16 << 10)}, pieces(letters)});
  return hashes;
}

}  // namespace

TEST_CASE("a piece is found wherever it lay in an older file, and as often as it is wanted", "[reuse]") {
  auto const places = reuse::places_of(wanted({"xbbay"}), {{"old", 16_KiB, pieces("abc")}});
  Place const a{0, 0_KiB};
  Place const b{0, 16_KiB};
  CHECK(places == std::vector<std::optional<Place>>{{}, b, b, a, {}});
}

TEST_CASE("every source is looked through, and the first that has a piece gives it", "[reuse]") {
  auto const places =
      reuse::places_of(wanted({"abc"}), {{"one", 16_KiB, pieces("xa")}, {"other", 16_KiB, pieces("acb")}});
  CHECK(places == std::vector<std::optional<Place>>{Place{0, 16_KiB}, Place{1, 32_KiB}, Place{1, 16_KiB}});
}

TEST_CASE("pieces are counted through all files of a torrent", "[reuse]") {
  auto const places = reuse::places_of(wanted({"ab", "c"}), {{"old", 16_KiB, pieces("c")}});
  CHECK(places == std::vector<std::optional<Place>>{{}, {}, Place{0, 0_KiB}});
}
