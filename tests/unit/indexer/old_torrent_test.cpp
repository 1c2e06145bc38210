#include "indexer/exchange/old_torrent.hpp"

#include <catch2/catch.hpp>

#include "common/torrent/bencode.hpp"

namespace imageswarm::exchange {
namespace {

using torrent::encode;

/// A version 1 torrent of `content`; the pieces are those of `promised`.
std::string torrent_of(std::string_view content, std::string_view promised, std::size_t piece_length) {
  std::string pieces;
  for (std::size_t at = 0; at < promised.size(); at += piece_length) {
    auto const digest = digest_of<Sha1>(promised.substr(at, piece_length));
    pieces.append(reinterpret_cast<char const*>(digest.bytes.data()), digest.bytes.size());
  }
  return "d" + encode("info") + "d" + encode("length") + encode(static_cast<std::int64_t>(content.size())) +
         encode("name") + encode("disk.img") + encode("piece length") +
         encode(static_cast<std::int64_t>(piece_length)) + encode("pieces") + encode(pieces) + "ee";
}

Result<OldTorrent> read(std::string const& bytes, std::string_view name = "disk.img") {
  return read_old_torrent(bytes, digest_of<Sha1>(bytes), name);
}

Result<> checked(OldTorrent const& torrent, std::string_view content, std::size_t step) {
  PieceCheck check{torrent};
  for (std::size_t at = 0; at < content.size(); at += step) {
    check.update(std::as_bytes(std::span{content.substr(at, step)}));
  }
  return check.finish();
}

TEST_CASE("a file is compared with every piece of its torrent") {
  std::string const content = "the first piece, the second piece and a bit";
  auto const piece_length = GENERATE(1u, 5u, 16u, 43u, 100u);
  auto const step = GENERATE(1u, 7u, 16u, 1000u);
  auto const torrent = read(torrent_of(content, content, piece_length));
  REQUIRE(torrent);
  CHECK(checked(*torrent, content, step));
  CHECK_FALSE(checked(*torrent, content.substr(1), step));
  CHECK_FALSE(checked(*torrent, content + "!", step));
  CHECK_FALSE(checked(*torrent, content + content, step));
  CHECK_FALSE(checked(*torrent, "", step));
  for (std::size_t at = 0; at < content.size(); ++at) {
    auto altered = content;
    altered[at] ^= 1;
    CHECK_FALSE(checked(*torrent, altered, step));
  }
}

TEST_CASE("a torrent file is read only if it is the one that was promised") {
  auto const bytes = torrent_of("content", "content", 4);
  CHECK(read(bytes));
  CHECK(read_old_torrent(bytes + " ", digest_of<Sha1>(bytes), "disk.img").error().fault == Fault::hash_mismatch);
  CHECK(read(bytes, "other.img").error().fault == Fault::torrent_name);
  CHECK(read(bytes + "x").error().fault == Fault::torrent_syntax);
  CHECK(read("de").error().fault == Fault::torrent_files);
  CHECK(read(torrent_of("content", "con", 2)).error().fault == Fault::torrent_size);
  CHECK(read(torrent_of("", "", 4)).error().fault == Fault::torrent_size);
}

}  // namespace
}  // namespace imageswarm::exchange
