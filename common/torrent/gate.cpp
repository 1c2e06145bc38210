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

Checked check_name(std::string_view const* name, document::Torrent const& promised) {
  if (name && *name == promised.content_name) return {};
  return fail(Fault::torrent_name, "the torrent's file is called '{}', '{}' was signed", printable(name ? *name : ""),
              printable(promised.content_name));
}

Checked check_length(std::int64_t const* length, document::Torrent const& promised) {
  if (length && *length > 0 && static_cast<std::uint64_t>(*length) == promised.content_size.value) return {};
  return fail(Fault::torrent_size, "the torrent's file has {} bytes, {} were signed", length ? *length : 0,
              promised.content_size.value);
}

/// The file's entry in the v2 tree: exactly one file at the top, with nothing but length and root.
Result<Bencoded const*> only_file(Bencoded const& info, document::Torrent const& promised) {
  auto const* version = info.integer("meta version");
  auto const* tree = info.find("file tree");
  if (!version || *version != 2 || !tree || !tree->map()) {
    return fail(Fault::torrent_downgrade, "the torrent has no v2 half, which was promised");
  }
  if (tree->map()->size() != 1) {
    return fail(Fault::torrent_files, "the torrent has {} files instead of one", tree->map()->size());
  }
  auto const& [name, node] = *tree->map()->begin();
  if (auto named = check_name(&name, promised); !named) return fail(std::move(named.error()));
  if (!node.map() || node.map()->size() != 1 || !node.find("") || !node.find("")->map()) {
    return fail(Fault::torrent_files, "the torrent has a directory instead of one file");
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

Checked check_layers(Bencoded const& torrent, Bencoded const& file, document::Torrent const& promised) {
  auto const* root = file.text("pieces root");
  if (!root || root->size() != sizeof(Sha256::bytes)) {
    return fail(Fault::torrent_layers, "the torrent's file has no root of 32 bytes");
  }
  auto const* layers = torrent.find("piece layers");
  if (!layers || !layers->map()) return fail(Fault::torrent_layers, "the torrent has no piece layers");
  auto const pieces = count_of(promised.content_size, promised.piece_length);
  if (layers->map()->size() != (pieces > 1 ? 1u : 0u)) {
    return fail(Fault::torrent_layers, "the torrent has {} piece layers for a file of {} pieces", layers->map()->size(),
                pieces);
  }
  if (pieces == 1) return {};
  auto const* layer = layers->text(*root);
  if (!layer || layer->size() % sizeof(Sha256::bytes) != 0 || layer->size() / sizeof(Sha256::bytes) != pieces) {
    return fail(Fault::torrent_layers, "the torrent's piece layer does not have {} hashes", pieces);
  }
  std::vector<Sha256> hashes;
  hashes.reserve(pieces);
  for (auto rest = *layer; !rest.empty(); rest.remove_prefix(sizeof(Sha256::bytes))) {
    hashes.push_back(digest_from(rest));
  }
  if (root_of_layer(std::move(hashes), promised.piece_length) != digest_from(*root)) {
    return fail(Fault::torrent_layers, "the torrent's piece layer does not add up to the root");
  }
  return {};
}

/// The v1 half of a hybrid must speak of the same file; a v2-only torrent has none.
Checked check_v1(Bencoded const& info, document::Torrent const& promised) {
  auto const* pieces = info.text("pieces");
  if (!promised.info_hash_v1) {
    if (!info.find("pieces") && !info.find("length")) return {};
    return fail(Fault::torrent_info_hash, "the torrent has a v1 half, which was not signed");
  }
  if (!pieces) return fail(Fault::torrent_downgrade, "the torrent has no v1 half, which was promised");
  if (auto right = check_length(info.integer("length"), promised); !right) return right;
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

/// The last proof: what will open it in the swarm reads the same in it.
Checked check_loads(std::string_view bytes, document::Torrent const& promised) {
  lt::load_torrent_limits limits;
  limits.max_buffer_size = static_cast<int>(max_torrent_size.value);
  limits.max_decode_depth = 10;
  limits.max_decode_tokens = 2000;
  try {
    auto const loaded = lt::load_torrent_buffer({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, limits);
    auto const& files = loaded.ti->files();
    auto const v1 = promised.info_hash_v1 ? text_of(*promised.info_hash_v1) : std::string_view{};
    auto const hashes = loaded.ti->info_hashes();
    // A v2-only torrent may have a padding file behind the image (BEP 47); it exists nowhere but in libtorrent.
    bool const one_file = files.num_files() == 1 || (files.num_files() == 2 && files.pad_file_at(lt::file_index_t{1}));
    bool const same = one_file && files.file_path(lt::file_index_t{0}) == promised.content_name &&
                      files.file_size(lt::file_index_t{0}) == static_cast<std::int64_t>(promised.content_size.value) &&
                      hashes.v2.to_string() == text_of(promised.info_hash_v2) &&
                      hashes.has_v1() == promised.info_hash_v1.has_value() &&
                      (v1.empty() || hashes.v1.to_string() == v1);
    if (!same) return fail(Fault::torrent_files, "libtorrent reads the torrent in another way");
  } catch (std::exception const& error) {
    return fail(Fault::torrent_syntax, "libtorrent refuses the torrent: {}", printable(error.what()));
  }
  return {};
}

Checked check_all(std::string_view bytes, document::Torrent const& promised) {
  if (promised.layout != "file") {
    return fail(Fault::torrent_layout, "layout '{}' is not known to this version: upgrade", printable(promised.layout));
  }
  if (auto good = check_bytes(bytes, promised); !good) return good;
  auto const torrent = decode(bytes);
  if (!torrent) return fail(torrent.error());
  auto const* info = torrent->find("info");
  if (!info) return fail(Fault::torrent_syntax, "the torrent has no info dictionary");
  if (auto good = check_keys(*info, promised); !good) return good;
  if (auto good = check_swarm_ca(*info, promised); !good) return good;
  if (auto good = check_piece_length(*info, promised); !good) return good;
  if (auto good = check_name(info->text("name"), promised); !good) return good;
  auto const file = only_file(*info, promised);
  if (!file) return fail(file.error());
  if (auto good = check_length((*file)->integer("length"), promised); !good) return good;
  if (auto good = check_layers(*torrent, **file, promised); !good) return good;
  if (auto good = check_v1(*info, promised); !good) return good;
  if (auto good = check_info_hashes(info->raw, promised); !good) return good;
  return check_loads(bytes, promised);
}

}  // namespace

Result<AdmittedTorrent> admit(std::string bytes, document::Torrent const& promised) {
  if (auto good = check_all(bytes, promised); !good) return fail(std::move(good.error()));
  return AdmittedTorrent{std::move(bytes)};
}

std::string bare(AdmittedTorrent const& torrent) {
  auto const decoded = decode(torrent.bytes());
  assert(decoded);
  return fmt::format("d4:info{}12:piece layers{}e", decoded->find("info")->raw, decoded->find("piece layers")->raw);
}

}  // namespace imageswarm::torrent
