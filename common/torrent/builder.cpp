#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>
#include <vector>

#include "common/torrent/bencode.hpp"
#include "common/torrent/merkle.hpp"
#include "common/torrent/torrent.hpp"

namespace imageswarm::torrent {
namespace {

constexpr std::uint64_t most_pieces = 2000;

template <class D>
std::string_view text_of(D const& digest) {
  return {reinterpret_cast<char const*>(digest.bytes.data()), digest.bytes.size()};
}

/// Cuts a stream into equal blocks and gives the digest of each to `done`; the last one may be shorter.
template <class D>
class BlockHasher {
public:
  explicit BlockHasher(ByteCount length) : length_{length.value}, left_{length.value} {}

  template <class Done>
  void update(std::span<std::byte const> data, Done done) {
    while (!data.empty()) {
      auto const now = data.first(std::min<std::size_t>(data.size(), left_));
      hasher_.update(now);
      data = data.subspan(now.size());
      left_ -= now.size();
      if (left_ == 0) finish(done);
    }
  }

  template <class Done>
  void finish(Done done) {
    if (left_ == length_) return;
    done(hasher_.finish());
    left_ = length_;
  }

private:
  Hasher<D> hasher_;
  std::size_t length_, left_;
};

}  // namespace

ByteCount piece_length_for(ByteCount artefact) {
  auto length = min_piece_length;
  while (length < max_piece_length && count_of(artefact, length) > most_pieces) length.value *= 2;
  return length;
}

namespace {

/// `announce` and `announce-list` (BEP 12, one tier each), which come first in the file.
std::string announce(std::vector<std::string> const& trackers) {
  if (trackers.empty()) return {};
  std::string tiers;
  for (auto const& tracker : trackers) tiers += "l" + encode(tracker) + "e";
  return "8:announce" + encode(trackers.front()) + "13:announce-listl" + tiers + "e";
}

/// `url-list` (BEP 19), which comes last.
std::string url_list(std::vector<std::string> const& web_seeds) {
  if (web_seeds.empty()) return {};
  std::string urls;
  for (auto const& url : web_seeds) urls += encode(url);
  return "8:url-listl" + urls + "e";
}

/// What a name in the file tree leads to when it is a file.
std::string file_node(ByteCount length, Sha256 const& root) {
  return fmt::format("d0:d6:length{}11:pieces root{}ee", encode(static_cast<std::int64_t>(length.value)),
                     encode(text_of(root)));
}

/// The last key of `info`.
std::string ca_member(std::string_view swarm_ca) {
  return swarm_ca.empty() ? "" : "8:ssl-cert" + encode(swarm_ca);
}

Result<Builder::Built> assemble(std::string const& info, std::string_view layers, ByteCount piece_length,
                                TimePoint created, Builder::Sources const& sources) {
  Builder::Built built;
  built.bytes =
      fmt::format("d{}13:creation date{}4:info{}12:piece layersd{}e{}e", announce(sources.trackers),
                  encode(std::int64_t{created.time_since_epoch().count()}), info, layers, url_list(sources.web_seeds));
  if (built.bytes.size() > max_torrent_size.value) {
    return fail(Fault::torrent_size, "the torrent file would be {}, more than {}: choose longer pieces",
                human(ByteCount{built.bytes.size()}), human(max_torrent_size));
  }
  built.info_hash_v2 = digest_of<Sha256>(info);
  built.piece_length = piece_length;
  return built;
}

}  // namespace

struct Builder::Impl {
  Impl(ByteCount length, Flavour flavour) : piece_length{length} {
    if (flavour == Flavour::hybrid) v1.emplace(length);
  }

  void add_block(Sha256 const& block) {
    blocks.push_back(block);
    if (blocks.size() == blocks_per_piece()) finish_piece();
  }

  void finish_piece() {
    pieces.push_back(merkle_root(std::move(blocks), blocks_per_piece()));
    blocks.clear();
  }

  std::size_t blocks_per_piece() const { return piece_length.value / block_size.value; }

  /// A file of one piece has a tree as wide as its blocks need and no layer; a longer one has trees of full width.
  Sha256 finish_root() {
    if (pieces.empty()) return merkle_root(blocks, std::bit_ceil(blocks.size()));
    if (!blocks.empty()) finish_piece();
    return root_of_layer(pieces, piece_length);
  }

  ByteCount piece_length;
  ByteCount size;
  BlockHasher<Sha256> v2{block_size};
  std::optional<BlockHasher<Sha1>> v1;
  std::vector<Sha256> blocks;  ///< of the piece that is not whole yet
  std::vector<Sha256> pieces;
  std::string v1_pieces;
};

Builder::Builder(ByteCount piece_length, Flavour flavour) : impl_{std::make_unique<Impl>(piece_length, flavour)} {
  assert(std::has_single_bit(piece_length.value) && piece_length >= min_piece_length &&
         piece_length <= max_piece_length);
}
Builder::Builder(Builder&&) noexcept = default;
Builder& Builder::operator=(Builder&&) noexcept = default;
Builder::~Builder() = default;

void Builder::update(std::span<std::byte const> data) {
  auto& self = *impl_;
  self.size.value += data.size();
  self.v2.update(data, [&self](Sha256 const& block) { self.add_block(block); });
  if (self.v1) self.v1->update(data, [&self](Sha1 const& piece) { self.v1_pieces += text_of(piece); });
}

Result<Builder::Built> Builder::finish(std::string_view name, TimePoint created, Sources const& sources,
                                       std::string_view swarm_ca) {
  auto& self = *impl_;
  if (self.size.value == 0) return fail(Fault::torrent_size, "an empty file cannot be swarmed");
  self.v2.finish([&self](Sha256 const& block) { self.add_block(block); });
  if (self.v1) self.v1->finish([&self](Sha1 const& piece) { self.v1_pieces += text_of(piece); });
  auto const root = self.finish_root();

  auto const length = encode(static_cast<std::int64_t>(self.size.value));
  // A single file needs no padding file in the v1 half: nothing follows that had to begin at a piece.
  auto const info = fmt::format("d9:file treed{}{}e{}12:meta versioni2e4:name{}12:piece length{}{}{}e", encode(name),
                                file_node(self.size, root), self.v1 ? "6:length" + length : "", encode(name),
                                encode(static_cast<std::int64_t>(self.piece_length.value)),
                                self.v1 ? "6:pieces" + encode(self.v1_pieces) : "", ca_member(swarm_ca));
  std::string layers;
  if (self.size > self.piece_length) {
    std::string layer;
    for (auto const& piece : self.pieces) layer += text_of(piece);
    layers = encode(text_of(root)) + encode(layer);
  }
  auto built = assemble(info, layers, self.piece_length, created, sources);
  if (built && self.v1) built->info_hash_v1 = digest_of<Sha1>(info);
  return built;
}

Chunk chunk_of(std::span<std::byte const> packed) {
  return {{packed.size()}, root_of_file(packed)};
}

Result<Builder::Built> build(std::string_view name, std::vector<Chunk> const& chunks, TimePoint created,
                             Builder::Sources const& sources, std::string_view swarm_ca) {
  auto piece_length = min_piece_length;
  std::string files;
  for (std::uint32_t index = 0; auto const& chunk : chunks) {
    if (chunk.size.value == 0) return fail(Fault::torrent_size, "an empty file cannot be swarmed");
    while (piece_length < chunk.size) piece_length.value *= 2;
    files += encode(document::chunk_name(index++)) + file_node(chunk.size, chunk.root);
  }
  if (chunks.empty() || piece_length > max_piece_length) {
    return fail(Fault::torrent_size, "{} chunks, the longest of more than {}, cannot be swarmed", chunks.size(),
                human(max_piece_length));
  }
  auto const info = fmt::format("d9:file treed{}e12:meta versioni2e4:name{}12:piece length{}{}e", files, encode(name),
                                encode(static_cast<std::int64_t>(piece_length.value)), ca_member(swarm_ca));
  return assemble(info, {}, piece_length, created, sources);
}

}  // namespace imageswarm::torrent
