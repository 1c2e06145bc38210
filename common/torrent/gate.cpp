#include <bit>
#include <cassert>
#include <cstring>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/load_torrent.hpp>
#include <set>
#include <system_error>

#include "common/base/text.hpp"
#include "common/torrent/bencode.hpp"
#include "common/torrent/merkle.hpp"
#include "common/torrent/torrent.hpp"
#include "common/trust/swarm_ca.hpp"

namespace imageswarm::torrent {
namespace {

using Checked = Result<>;

constexpr std::string_view swarm_ca_key = "ssl-cert";

template <class D>
std::string_view text_of(D const& digest) {
  return {reinterpret_cast<char const*>(digest.bytes.data()), digest.bytes.size()};
}

Sha256 digest_from(std::string_view text) {
  Sha256 digest;
  std::memcpy(digest.bytes.data(), text.data(), digest.bytes.size());
  return digest;
}

/// The file as signed, before anything looks into it.
Checked check_bytes(std::string_view bytes, document::Torrent const& promised) {
  if (promised.file_size > max_torrent_size) {
    return fail(Fault::too_large, "the torrent file is {}, more than {}", human(promised.file_size),
                human(max_torrent_size));
  }
  if (bytes.size() != promised.file_size.value) {
    return fail(Fault::hash_mismatch, "the torrent file has {} bytes, {} were signed", bytes.size(),
                promised.file_size.value);
  }
  auto const digest = digest_of<Sha256>(bytes);
  if (digest != promised.file_sha256) {
    return fail(Fault::hash_mismatch, "the torrent file has SHA-256 {}, {} was signed", digest.hex(),
                promised.file_sha256.hex());
  }
  return {};
}

/// Only keys whose meaning we know: libtorrent lets others, such as `name.utf-8`, override what we compare.
Checked check_keys(Bencoded const& info, document::Torrent const& promised) {
  static std::set<std::string_view> const known{"file tree", "length",       "meta version",
                                                "name",      "piece length", "pieces"};
  if (!info.map()) return fail(Fault::torrent_syntax, "the torrent has no info dictionary");
  if (info.find("private")) {
    return fail(Fault::torrent_private, "the torrent is private, which shuts out DHT and peer exchange");
  }
  if (info.find("files")) return fail(Fault::torrent_files, "the torrent has a list of files instead of one file");
  for (auto const& [key, member] : *info.map()) {
    if (!known.contains(key) && !(promised.ssl && key == swarm_ca_key)) {
      return fail(Fault::torrent_attribute, "the torrent has the attribute '{}', which was not promised",
                  printable(key));
    }
  }
  return {};
}

/// A private image's swarm is open to certificates of exactly one CA, written in exactly one way: libtorrent makes do
/// with the first certificate that it finds in whatever stands there, and with none if it finds none.
Checked check_swarm_ca(Bencoded const& info, document::Torrent const& promised) {
  if (!promised.ssl) return {};
  auto const* pem = info.text(swarm_ca_key);
  if (!pem) return fail(Fault::torrent_downgrade, "the catalogue promises a private swarm, the torrent has no CA");
  auto const ca = trust::SwarmCa::read(*pem);
  if (!ca) return fail(Fault::torrent_downgrade, "the torrent has no proper CA: {}", ca.error().what);
  if (ca->pem() == *pem) return {};
  return fail(Fault::torrent_downgrade, "the torrent's CA is not one certificate in plain PEM and nothing else");
}

Checked check_piece_length(Bencoded const& info, document::Torrent const& promised) {
  auto const* length = info.integer("piece length");
  if (!length || *length < 0 || static_cast<std::uint64_t>(*length) != promised.piece_length.value) {
    return fail(Fault::torrent_piece_length, "the torrent's piece length is not the signed {}",
                promised.piece_length.value);
  }
  if (!std::has_single_bit(promised.piece_length.value) || promised.piece_length < min_piece_length ||
      promised.piece_length > max_piece_length) {
    return fail(Fault::torrent_piece_length, "piece length {} is not a power of two from 16 KiB to 16 MiB",
                promised.piece_length.value);
  }
  return {};
}

Checked check_name(std::string_view const* name, std::string_view promised) {
  if (name && *name == promised) return {};
  return fail(Fault::torrent_name, "the torrent's file is called '{}', it should be '{}'", printable(name ? *name : ""),
              printable(promised));
}

/// One file of the v2 tree, with nothing but length and root.
struct File {
  std::string path;  ///< as libtorrent calls it
  ByteCount length;
  Sha256 root;
};

std::size_t promised_files(document::Torrent const& promised) {
  return promised.chunks ? promised.chunks->count : 1;
}

std::string promised_name(document::Torrent const& promised, std::size_t index) {
  return promised.chunks ? document::chunk_name(static_cast<std::uint32_t>(index)) : promised.content_name;
}

Result<Bencoded const*> entry_of(Bencoded const& node) {
  if (!node.map() || node.map()->size() != 1 || !node.find("") || !node.find("")->map()) {
    return fail(Fault::torrent_files, "the torrent has a directory where a file was promised");
  }
  auto const* file = node.find("");
  for (auto const& [key, member] : *file->map()) {
    if (key != "length" && key != "pieces root") {
      return fail(Fault::torrent_attribute, "the torrent's file has the attribute '{}', which was not promised",
                  printable(key));
    }
  }
  return file;
}

Result<File> read_entry(Bencoded const& entry, std::string path) {
  auto const* length = entry.integer("length");
  if (!length || *length <= 0) {
    return fail(Fault::torrent_size, "the torrent's file {} has {} bytes", printable(path), length ? *length : 0);
  }
  auto const* root = entry.text("pieces root");
  if (!root || root->size() != sizeof(Sha256::bytes)) {
    return fail(Fault::torrent_layers, "the torrent's file {} has no root of 32 bytes", printable(path));
  }
  return File{std::move(path), {static_cast<std::uint64_t>(*length)}, digest_from(*root)};
}

/// The files at the top of the v2 tree: exactly the promised ones.
Result<std::vector<File>> read_files(Bencoded const& info, document::Torrent const& promised) {
  auto const* version = info.integer("meta version");
  auto const* tree = info.find("file tree");
  if (!version || *version != 2 || !tree || !tree->map()) {
    return fail(Fault::torrent_downgrade, "the torrent has no v2 half, which was promised");
  }
  auto const count = promised_files(promised);
  if (tree->map()->size() != count) {
    return fail(Fault::torrent_files, "the torrent has {} files instead of {}", tree->map()->size(), count);
  }
  std::vector<File> files;
  files.reserve(count);
  for (auto const& [name, node] : *tree->map()) {
    auto const expected = promised_name(promised, files.size());
    if (auto named = check_name(&name, expected); !named) return fail(std::move(named.error()));
    auto const entry = entry_of(node);
    if (!entry) return fail(entry.error());
    auto file = read_entry(**entry, promised.chunks ? promised.content_name + "/" + expected : expected);
    if (!file) return fail(std::move(file.error()));
    files.push_back(std::move(*file));
  }
  return files;
}

/// Together they are as long as promised; a chunk is one piece.
Checked check_lengths(std::vector<File> const& files, document::Torrent const& promised) {
  ByteCount total;
  for (auto const& file : files) {
    if (promised.chunks && file.length > promised.piece_length) {
      return fail(Fault::torrent_size, "the torrent's file {} is longer than a piece", printable(file.path));
    }
    total += file.length;
  }
  if (total == promised.content_size) return {};
  return fail(Fault::torrent_size, "the torrent's content has {} bytes, {} were signed", total.value,
              promised.content_size.value);
}

Checked check_layer(std::string_view const* layer, File const& file, document::Torrent const& promised) {
  auto const pieces = count_of(file.length, promised.piece_length);
  if (!layer || layer->size() % sizeof(Sha256::bytes) != 0 || layer->size() / sizeof(Sha256::bytes) != pieces) {
    return fail(Fault::torrent_layers, "the torrent's piece layer does not have {} hashes", pieces);
  }
  std::vector<Sha256> hashes;
  hashes.reserve(pieces);
  for (auto rest = *layer; !rest.empty(); rest.remove_prefix(sizeof(Sha256::bytes))) {
    hashes.push_back(digest_from(rest));
  }
  if (root_of_layer(std::move(hashes), promised.piece_length) != file.root) {
    return fail(Fault::torrent_layers, "the torrent's piece layer does not add up to the root");
  }
  return {};
}

/// A layer for each file of more than one piece, and no others.
Checked check_layers(Bencoded const& torrent, std::vector<File> const& files, document::Torrent const& promised) {
  auto const* layers = torrent.find("piece layers");
  if (!layers || !layers->map()) return fail(Fault::torrent_layers, "the torrent has no piece layers");
  std::size_t expected = 0;
  for (auto const& file : files) {
    if (file.length <= promised.piece_length) continue;
    ++expected;
    if (auto good = check_layer(layers->text(text_of(file.root)), file, promised); !good) return good;
  }
  if (layers->map()->size() == expected) return {};
  return fail(Fault::torrent_layers, "the torrent has {} piece layers, it should have {}", layers->map()->size(),
              expected);
}

/// The v1 half of a hybrid must speak of the same file; a v2-only torrent has none.
Checked check_v1(Bencoded const& info, document::Torrent const& promised) {
  auto const* pieces = info.text("pieces");
  if (!promised.info_hash_v1) {
    if (!info.find("pieces") && !info.find("length")) return {};
    return fail(Fault::torrent_info_hash, "the torrent has a v1 half, which was not signed");
  }
  if (!pieces) return fail(Fault::torrent_downgrade, "the torrent has no v1 half, which was promised");
  auto const* length = info.integer("length");
  if (!length || *length < 0 || static_cast<std::uint64_t>(*length) != promised.content_size.value) {
    return fail(Fault::torrent_size, "the torrent's halves disagree on the number of bytes");
  }
  if (pieces->size() != sizeof(Sha1::bytes) * count_of(promised.content_size, promised.piece_length)) {
    return fail(Fault::torrent_layers, "the torrent's halves disagree on the number of pieces");
  }
  return {};
}

Checked check_info_hashes(std::string_view info, document::Torrent const& promised) {
  if (digest_of<Sha256>(info) != promised.info_hash_v2 ||
      (promised.info_hash_v1 && digest_of<Sha1>(info) != *promised.info_hash_v1)) {
    return fail(Fault::torrent_info_hash, "the torrent's info-hash is not the signed one");
  }
  return {};
}

bool same_files(lt::file_storage const& loaded, std::vector<File> const& files) {
  auto next = files.begin();
  for (auto const index : loaded.file_range()) {
    // Behind a file of v2 there may be a padding file (BEP 47); it exists nowhere but in libtorrent.
    if (loaded.pad_file_at(index)) continue;
    if (next == files.end() || loaded.file_path(index) != next->path ||
        loaded.file_size(index) != static_cast<std::int64_t>(next->length.value) ||
        loaded.root(index).to_string() != text_of(next->root)) {
      return false;
    }
    ++next;
  }
  return next == files.end();
}

/// The last proof: what will open it in the swarm reads the same in it.
Checked check_loads(std::string_view bytes, std::vector<File> const& files, document::Torrent const& promised) {
  constexpr int tokens_of_file = 10;
  lt::load_torrent_limits limits;
  limits.max_buffer_size = static_cast<int>(max_torrent_size.value);
  limits.max_decode_depth = 10;
  limits.max_decode_tokens = 2000 + tokens_of_file * static_cast<int>(files.size());
  try {
    auto const loaded = lt::load_torrent_buffer({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, limits);
    auto const v1 = promised.info_hash_v1 ? text_of(*promised.info_hash_v1) : std::string_view{};
    auto const hashes = loaded.ti->info_hashes();
    bool const same =
        same_files(loaded.ti->files(), files) && hashes.v2.to_string() == text_of(promised.info_hash_v2) &&
        hashes.has_v1() == promised.info_hash_v1.has_value() && (v1.empty() || hashes.v1.to_string() == v1);
    if (!same) return fail(Fault::torrent_files, "libtorrent reads the torrent in another way");
  } catch (std::exception const& error) {
    return fail(Fault::torrent_syntax, "libtorrent refuses the torrent: {}", printable(error.what()));
  }
  return {};
}

Checked check_all(std::string_view bytes, document::Torrent const& promised) {
  if (auto good = check_bytes(bytes, promised); !good) return good;
  auto const torrent = decode(bytes, promised.chunks ? most_values_of_chunks : most_values_of_file);
  if (!torrent) return fail(torrent.error());
  auto const* info = torrent->find("info");
  if (!info) return fail(Fault::torrent_syntax, "the torrent has no info dictionary");
  if (auto good = check_keys(*info, promised); !good) return good;
  if (auto good = check_swarm_ca(*info, promised); !good) return good;
  if (auto good = check_piece_length(*info, promised); !good) return good;
  if (auto good = check_name(info->text("name"), promised.content_name); !good) return good;
  auto const files = read_files(*info, promised);
  if (!files) return fail(files.error());
  if (auto good = check_lengths(*files, promised); !good) return good;
  if (auto good = check_layers(*torrent, *files, promised); !good) return good;
  if (auto good = check_v1(*info, promised); !good) return good;
  if (auto good = check_info_hashes(info->raw, promised); !good) return good;
  return check_loads(bytes, *files, promised);
}

}  // namespace

Result<AdmittedTorrent> admit(std::string bytes, document::Torrent const& promised) {
  if (auto good = check_all(bytes, promised); !good) return fail(std::move(good.error()));
  return AdmittedTorrent{std::move(bytes)};
}

Bencoded decoded_of(AdmittedTorrent const& torrent) {
  auto decoded = decode(torrent.bytes(), most_values_of_chunks);
  assert(decoded);
  return std::move(*decoded);
}

std::string bare(AdmittedTorrent const& torrent) {
  auto const decoded = decoded_of(torrent);
  return fmt::format("d4:info{}12:piece layers{}e", decoded.find("info")->raw, decoded.find("piece layers")->raw);
}

}  // namespace imageswarm::torrent
