#include "indexer/exchange/old_torrent.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/torrent/bencode.hpp"

namespace imageswarm::exchange {
namespace {

constexpr std::size_t digest_size = 20;

}  // namespace

Result<OldTorrent> read_old_torrent(std::string_view bytes, Sha1 const& expected, std::string_view content_name) {
  if (digest_of<Sha1>(bytes) != expected) {
    return fail(Fault::hash_mismatch, "the torrent file is not the one whose SHA-1 the list names");
  }
  auto const torrent = torrent::decode(bytes);
  if (!torrent) return fail(torrent.error());
  auto const* info = torrent->find("info");
  auto const* pieces = info ? info->text("pieces") : nullptr;
  auto const* length = info ? info->integer("length") : nullptr;
  auto const* piece_length = info ? info->integer("piece length") : nullptr;
  auto const* name = info ? info->text("name") : nullptr;
  if (!pieces || !length || !piece_length || !name) {
    return fail(Fault::torrent_files, "it is not a version 1 torrent of one file");
  }
  if (*name != content_name) {
    return fail(Fault::torrent_name, "the torrent is of '{}', the list of '{}'", printable(*name), content_name);
  }
  if (*length <= 0 || *piece_length <= 0 ||
      pieces->size() != static_cast<std::size_t>((*length - 1) / *piece_length + 1) * digest_size) {
    return fail(Fault::torrent_size, "the torrent's size, piece length and pieces do not fit together");
  }
  return OldTorrent{
      {static_cast<std::uint64_t>(*length)}, {static_cast<std::uint64_t>(*piece_length)}, std::string{*pieces}};
}

void PieceCheck::update(std::span<std::byte const> data) {
  total_ += {data.size()};
  while (!data.empty()) {
    auto const part = data.first(std::min<std::size_t>(data.size(), (torrent_.piece_length - in_piece_).value));
    hasher_.update(part);
    in_piece_ += {part.size()};
    if (in_piece_ == torrent_.piece_length) end_piece();
    data = data.subspan(part.size());
  }
}

void PieceCheck::end_piece() {
  auto const digest = hasher_.finish();
  auto const promised =
      std::string_view{torrent_.pieces}.substr(std::min(checked_, torrent_.pieces.size()), digest_size);
  good_ =
      good_ && std::ranges::equal(digest.bytes, promised, {}, {}, [](char c) { return static_cast<std::uint8_t>(c); });
  checked_ += digest_size;
  in_piece_ = {};
}

Result<> PieceCheck::finish() {
  if (in_piece_.value > 0) end_piece();
  if (good_ && total_ == torrent_.size) return {};
  return fail(Fault::hash_mismatch, "the file is not the one whose pieces the torrent names");
}

}  // namespace imageswarm::exchange
