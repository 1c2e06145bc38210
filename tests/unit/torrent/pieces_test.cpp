#include "common/torrent/pieces.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/torrent_info.hpp>
#include <string>

#include "tests/support/sample_torrent.hpp"

using namespace imageswarm;

namespace {

constexpr auto piece = 64_KiB;

std::span<std::byte const> piece_of(std::string const& content, std::size_t index) {
  auto const all = std::as_bytes(std::span{content});
  auto const begin = index * piece.value;
  return all.subspan(begin, std::min<std::size_t>(piece.value, all.size() - begin));
}

}  // namespace

TEST_CASE("the piece hashes of a torrent are those that libtorrent reads, and those of its content", "[torrent]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    for (std::size_t const size : {1u, 16384u, 40'000u, 65'535u, 65'536u, 65'537u, 200'000u, 262'144u, 262'145u}) {
      CAPTURE(size, flavour == torrent::Flavour::hybrid);
      auto const content = test::noise(size);
      auto const sample = test::torrent_of(content, piece, flavour);
      auto const hashes = torrent::piece_hashes_of(sample.admitted());

      CHECK(hashes.piece_length == piece);
      REQUIRE(hashes.files.size() == 1);
      auto const& file = hashes.files.front();
      CHECK(file.name == sample.promised.content_name);
      CHECK(file.size.value == size);
      REQUIRE(file.pieces.size() == (size - 1) / piece.value + 1);
      lt::torrent_info const loaded{lt::span<char const>{sample.bytes}, lt::from_span};
      if (file.pieces.size() == 1) {
        CHECK(loaded.files().root(lt::file_index_t{0}).to_string() ==
              std::string{reinterpret_cast<char const*>(file.pieces[0].bytes.data()), 32});
      } else {
        auto const layer = loaded.piece_layer(lt::file_index_t{0});
        std::string ours;
        for (auto const& hash : file.pieces) ours.append(reinterpret_cast<char const*>(hash.bytes.data()), 32);
        CHECK(ours == std::string{layer.data(), static_cast<std::size_t>(layer.size())});
      }
      for (std::size_t i = 0; i < file.pieces.size(); ++i) {
        CHECK(torrent::hash_of_piece(piece_of(content, i), file, piece) == file.pieces[i]);
      }
    }
  }
}

TEST_CASE("each chunk is a file in the artefact's directory with one piece, however many there are", "[torrent]") {
  std::vector<std::string> contents(400, "chunk");
  contents[7] = test::noise(70'000);
  auto const hashes = torrent::piece_hashes_of(test::torrent_of_chunks(contents).admitted());
  CHECK(hashes.piece_length == 128_KiB);
  REQUIRE(hashes.files.size() == 400);
  auto const& file = hashes.files[7];
  CHECK(file.name == "disk.chunks/000007.zst");
  CHECK(file.size.value == 70'000);
  REQUIRE(file.pieces.size() == 1);
  CHECK(torrent::hash_of_piece(std::as_bytes(std::span{contents[7]}), file, hashes.piece_length) == file.pieces[0]);
}

TEST_CASE("pieces of zeros are counted to the byte", "[torrent]") {
  auto const zeros_in = [](std::string const& content) {
    return torrent::zeros_in(torrent::piece_hashes_of(test::torrent_of(content, piece).admitted())).value;
  };
  CHECK(zeros_in(test::noise(200'000)) == 0);
  CHECK(zeros_in(std::string(200'000, '\0')) == 200'000);
  CHECK(zeros_in(std::string(200'000, '\0') + "x") == 3 * piece.value);
  CHECK(zeros_in(test::noise(piece.value) + std::string(piece.value + 1, '\0')) == piece.value + 1);
}

TEST_CASE("the hash of zeros is that of a piece of zeros, also at the end and in a file of one piece", "[torrent]") {
  for (std::size_t const size : {1u, 16384u, 40'000u, 65'536u, 65'537u, 200'000u, 262'144u}) {
    CAPTURE(size);
    std::string const content(size, '\0');
    auto const file = torrent::piece_hashes_of(test::torrent_of(content, piece).admitted()).files.front();
    for (std::size_t i = 0; i < file.pieces.size(); ++i) {
      CHECK(torrent::hash_of_zeros({piece_of(content, i).size()}, file, piece) == file.pieces[i]);
    }
  }
}
