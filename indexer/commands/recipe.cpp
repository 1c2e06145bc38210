#include "indexer/commands/recipe.hpp"

#include "indexer/ingest/ingest.hpp"

namespace imageswarm::commands {
namespace {

/// By measurement (docs/benchmarks.md, "A new version"): shorter ones gain little and compress less.
constexpr ByteCount default_chunk_size = 1_MiB;
/// Each is a file on every host.
constexpr std::uint32_t usual_chunks = 8192;

/// A version whose pieces the new one may have in common: none are if it is compressed in another way.
store::Item const* predecessor_of(document::Image const& image, document::Compression compression,
                                  store::Store const& store) {
  auto const newest = store::find(store.items(), image.uuid.text());
  if (!newest) return nullptr;
  auto const& torrent = (*newest)->image.torrent;
  return torrent.compression == compression && !torrent.chunks ? *newest : nullptr;
}

/// Hosts recognise pieces of the same length alone, so a family keeps the one that it has.
Result<ByteCount> piece_length_for(AddOptions const& options, document::Image const& image,
                                   document::Compression compression, UniqueFd const& file, store::Store const& store,
                                   Context& context) {
  if (options.piece_length.empty()) {
    auto const* older = predecessor_of(image, compression, store);
    if (!older) return ingest::likely_piece_length(file, compression);
    auto const kept = older->image.torrent.piece_length;
    context.output.say("pieces of {} KiB, as in {}", kept.value / 1024, older->label());
    return kept;
  }
  auto const length = parse_size(options.piece_length);
  if (!length) return length;
  bool const power_of_two = (length->value & (length->value - 1)) == 0;
  if (!power_of_two || *length < torrent::min_piece_length || *length > torrent::max_piece_length) {
    return fail(Fault::usage, "--piece-length: a power of two from 16KiB to 16MiB");
  }
  return length;
}

/// The default; shorter where there would be one chunk alone, longer where there would be many.
Result<ByteCount> chunk_size_for(AddOptions const& options, ByteCount content) {
  auto size = options.chunk_size.empty() ? default_chunk_size : parse_size(options.chunk_size);
  if (!size) return fail(Fault::usage, "--chunk-size: {}", size.error().what);
  if (options.chunk_size.empty()) {
    while (*size >= content && *size > document::min_chunk_size) size->value /= 2;
    while (*size < document::max_chunk_size && content.value / size->value > usual_chunks) size->value *= 2;
  }
  auto const chunks = document::chunks_of(content, *size);
  if (!chunks) return fail(Fault::usage, "--chunk-size: {}", chunks.error().what);
  return *size;
}

/// Chunks are zstd, in v2 torrents, and each is one piece.
Result<ingest::Recipe> recipe_for_chunks(AddOptions const& options, ByteCount content) {
  if (!options.compress.empty() && options.compress != "zstd") {
    return fail(Fault::usage, "--compress: chunks are compressed with zstd; leave it out");
  }
  if (options.torrent != "v2") return fail(Fault::usage, "--torrent: chunks have v2 torrents; leave it out");
  if (!options.piece_length.empty()) return fail(Fault::usage, "--piece-length: a chunk is one piece; leave it out");
  auto const size = chunk_size_for(options, content);
  if (!size) return fail(size.error());
  return ingest::Recipe{document::Compression::zstd, torrent::Flavour::v2, {}, *size};
}

}  // namespace

Result<ingest::Recipe> recipe_for(AddOptions const& options, document::Image const& image, UniqueFd const& file,
                                  ByteCount content, store::Store const& store, Context& context) {
  if (options.layout == "chunks") return recipe_for_chunks(options, content);
  if (options.layout != "file") return fail(Fault::usage, "--torrent-layout: file or chunks");
  if (!options.chunk_size.empty()) return fail(Fault::usage, "--chunk-size: only with --torrent-layout chunks");
  auto const compression = document::parse_compression(options.compress.empty() ? "none" : options.compress);
  if (!compression) return fail(Fault::usage, "--compress: {}", compression.error().what);
  if (options.torrent != "v2" && options.torrent != "hybrid") return fail(Fault::usage, "--torrent: v2 or hybrid");
  auto const length = piece_length_for(options, image, *compression, file, store, context);
  if (!length) return fail(length.error());
  return ingest::Recipe{
      *compression, options.torrent == "v2" ? torrent::Flavour::v2 : torrent::Flavour::hybrid, *length, {}};
}

std::filesystem::path chunks_before(store::Store const& store, Uuid const& family) {
  std::filesystem::path newest;
  for (auto const& item : store.items()) {
    bool const is_here = item.image.uuid == family && item.state != store::State::withdrawn;
    if (is_here && item.image.torrent.chunks) newest = store.artefact(item.image);
  }
  return newest;
}

}  // namespace imageswarm::commands
