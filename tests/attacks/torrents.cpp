// Torrent files that an endorser signed though they are not what his catalogue says.
#include <functional>
#include <map>

#include "common/base/file.hpp"
#include "common/torrent/bencode.hpp"
#include "common/torrent/merkle.hpp"
#include "common/torrent/torrent.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/attacks/host.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::attacks {
namespace {

using Fields = std::map<std::string, std::string>;  ///< key → bencoded value

std::string text(std::string_view value) {
  return torrent::encode(value);
}
std::string number(std::int64_t value) {
  return torrent::encode(value);
}
std::string dict(Fields const& fields) {
  std::string out = "d";
  for (auto const& [key, value] : fields) out += text(key) + value;
  return out + "e";
}
template <class D>
std::string raw(D const& digest) {
  return {digest.bytes.begin(), digest.bytes.end()};
}

/// A torrent in parts, so that a test can spoil one of them; nothing here checks anything.
struct Parts {
  Fields file, tree, info, layers, top;
  bool with_info = true, with_layers = true;

  std::string info_bytes() const {
    auto whole = info;
    auto files = tree;
    if (!file.empty()) files["disk.img"] = dict({{"", dict(file)}});
    if (!files.empty()) whole["file tree"] = dict(files);
    return dict(whole);
  }
  std::string bytes() const {
    auto whole = top;
    if (with_info) whole["info"] = info_bytes();
    if (with_layers) whole["piece layers"] = dict(layers);
    return dict(whole);
  }
};

struct Case {
  Parts parts;
  document::Torrent promised;
  std::string root;

  /// The endorser signed these bytes: only what they say can be wrong.
  void sign(std::string const& bytes) {
    promised.file_size = {bytes.size()};
    promised.file_sha256 = digest_of<Sha256>(bytes);
    auto const info = parts.info_bytes();
    promised.info_hash_v2 = digest_of<Sha256>(info);
    if (promised.info_hash_v1) promised.info_hash_v1 = digest_of<Sha1>(info);
  }

  void make_private(std::string_view swarm_ca) {
    promised.ssl = true;
    parts.info["ssl-cert"] = text(swarm_ca);
  }
};

/// A certificate of the test PKI that no endorser has, in plain PEM.
std::string pem_of(std::string const& name) {
  auto const ending = name.ends_with(".leaf") ? "" : ".pem";
  auto const file = read_file(test::TestCa::instance().path() / "ca" / (name + ending), 64_KiB);
  return file ? *file : "missing";
}

/// A good torrent of 200,000 bytes, which is three whole pieces of 64 KiB and a short one.
Case good(bool hybrid) {
  Case made;
  std::vector<Sha256> pieces;
  std::string layer;
  for (char c : {'a', 'b', 'c', 'd'}) {
    pieces.push_back(digest_of<Sha256>(std::string_view{&c, 1}));
    layer += raw(pieces.back());
  }
  made.root = raw(torrent::root_of_layer(pieces, 64_KiB));
  made.parts.file = {{"length", number(200'000)}, {"pieces root", text(made.root)}};
  made.parts.info = {{"meta version", number(2)}, {"name", text("disk.img")}, {"piece length", number(65536)}};
  if (hybrid) {
    made.parts.info["length"] = number(200'000);
    made.parts.info["pieces"] = text(std::string(4 * 20, 'x'));
    made.promised.info_hash_v1.emplace();
  }
  made.parts.layers = {{made.root, text(layer)}};
  made.promised.name = "disk.img.torrent";
  made.promised.piece_length = 64_KiB;
  made.promised.content_name = "disk.img";
  made.promised.content_size = {200'000};
  return made;
}

/// What a chunk's name leads to.
std::string chunk(std::int64_t length) {
  return dict({{"", dict({{"length", number(length)}, {"pieces root", text(std::string(32, 'r'))}})}});
}

Case good_chunks() {
  Case made;
  for (auto const* name : {"000000.zst", "000001.zst", "000002.zst"}) made.parts.tree[name] = chunk(1000);
  made.parts.info = {{"meta version", number(2)}, {"name", text("disk.chunks")}, {"piece length", number(65536)}};
  made.promised.chunks = document::Chunks{64_KiB, 3};
  made.promised.piece_length = 64_KiB;
  made.promised.content_name = "disk.chunks";
  made.promised.content_size = {3000};
  return made;
}

/// What is done to a good torrent before it is signed, and the word it must get.
struct Row {
  char const* name;
  char const* expected;
  std::function<void(Case&)> spoil;
  bool hybrid = false;
};

std::string deep(int levels) {
  return std::string(static_cast<std::size_t>(levels), 'l') + std::string(static_cast<std::size_t>(levels), 'e');
}

std::vector<Row> const rows{
    {"nothing wrong (v2)", "accepted", [](Case&) {}},
    {"nothing wrong (hybrid)", "accepted", [](Case&) {}, true},
    {"trackers, web seeds and nodes, which are ignored", "accepted",
     [](Case& c) {
       c.parts.top = {{"announce", text("http://evil.example/announce")},
                      {"nodes", "ll" + text("router.example") + number(6881) + "ee"},
                      {"url-list", text("http://evil.example/")}};
     }},
    {"no info", "torrent-syntax", [](Case& c) { c.parts.with_info = false; }},
    {"info is a list", "torrent-syntax",
     [](Case& c) {
       c.parts.with_info = false;
       c.parts.top["info"] = "le";
     }},
    {"no file tree (v1 only)", "torrent-downgrade", [](Case& c) { c.parts.file.clear(); }, true},
    {"meta version 1", "torrent-downgrade", [](Case& c) { c.parts.info["meta version"] = number(1); }},
    {"meta version 3", "torrent-downgrade", [](Case& c) { c.parts.info["meta version"] = number(3); }},
    {"no meta version", "torrent-downgrade", [](Case& c) { c.parts.info.erase("meta version"); }},
    {"promised v1 half missing", "torrent-downgrade", [](Case& c) { c.parts.info.erase("pieces"); }, true},
    {"promised CA of the swarm", "accepted", [](Case& c) { c.make_private(pem_of("root")); }},
    {"promised CA missing", "torrent-downgrade", [](Case& c) { c.promised.ssl = true; }},
    {"promised CA is a number", "torrent-downgrade",
     [](Case& c) {
       c.promised.ssl = true;
       c.parts.info["ssl-cert"] = number(1);
     }},
    {"promised CA empty", "torrent-downgrade", [](Case& c) { c.make_private(""); }},
    {"promised CA is no certificate", "torrent-downgrade", [](Case& c) { c.make_private("PEM"); }},
    {"promised CA is cut off", "torrent-downgrade", [](Case& c) { c.make_private(pem_of("root").substr(0, 300)); }},
    {"two CAs", "torrent-downgrade", [](Case& c) { c.make_private(pem_of("root") + pem_of("other")); }},
    {"text around the CA", "torrent-downgrade", [](Case& c) { c.make_private("# the CA\n" + pem_of("root")); }},
    {"text behind the CA", "torrent-downgrade", [](Case& c) { c.make_private(pem_of("root") + "x"); }},
    {"CA with other line ends", "torrent-downgrade",
     [](Case& c) {
       c.make_private(replaced(pem_of("root"), "BEGIN CERTIFICATE-----\n", "BEGIN CERTIFICATE-----\r\n"));
     }},
    {"enormous CA", "torrent-downgrade", [](Case& c) { c.make_private(pem_of("root") + std::string(20'000, '\n')); }},
    {"the CA is a host", "torrent-downgrade", [](Case& c) { c.make_private(pem_of("expired.leaf")); }},
    {"the CA is below another", "torrent-downgrade", [](Case& c) { c.make_private(pem_of("issuing")); }},
    {"CA not promised", "torrent-attribute", [](Case& c) { c.parts.info["ssl-cert"] = text(pem_of("root")); }},
    {"private", "torrent-private", [](Case& c) { c.parts.info["private"] = number(1); }},
    {"private, as zero", "torrent-private", [](Case& c) { c.parts.info["private"] = number(0); }},
    {"second file", "torrent-files",
     [](Case& c) {
       c.parts.tree["passwd"] = dict({{"", dict({{"length", number(0)}})}});
     }},
    {"200,000 files", "torrent-syntax",
     [](Case& c) {
       for (int i = 0; i < 200'000; ++i) c.parts.tree[std::to_string(i)] = dict({{"", dict({{"length", "i0e"}})}});
     }},
    {"file in a directory", "torrent-files",
     [](Case& c) {
       c.parts.tree["disk.img"] = dict({{"deeper", dict({{"", dict(c.parts.file)}})}});
       c.parts.file.clear();
     }},
    {"file and directory at once", "torrent-files",
     [](Case& c) {
       c.parts.tree["disk.img"] = dict({{"", dict(c.parts.file)}, {"x", dict({{"", dict(c.parts.file)}})}});
       c.parts.file.clear();
     }},
    {"v1 list of files", "torrent-files",
     [](Case& c) {
       c.parts.info["files"] = "l" + dict({{"length", number(200'000)}, {"path", "l" + text("disk.img") + "e"}}) + "e";
     },
     true},
    {"other name", "torrent-name", [](Case& c) { c.parts.info["name"] = text("other.img"); }},
    {"name climbs out", "torrent-name", [](Case& c) { c.parts.info["name"] = text("../disk.img"); }},
    {"no name", "torrent-name", [](Case& c) { c.parts.info.erase("name"); }},
    {"name is a number", "torrent-name", [](Case& c) { c.parts.info["name"] = number(7); }},
    {"tree has another name", "torrent-name", [](Case& c) { c.promised.content_name = "disk2.img"; }},
    {"tree climbs out", "torrent-name",
     [](Case& c) {
       c.parts.tree[".."] = dict({{"", dict(c.parts.file)}});
       c.parts.file.clear();
     }},
    {"name.utf-8 overrides the name", "torrent-attribute",
     [](Case& c) { c.parts.info["name.utf-8"] = text("/etc/passwd"); }},
    {"symbolic link", "torrent-attribute",
     [](Case& c) {
       c.parts.file["attr"] = text("l");
       c.parts.file["symlink path"] = "l" + text("etc") + text("passwd") + "e";
     }},
    {"executable", "torrent-attribute", [](Case& c) { c.parts.file["attr"] = text("x"); }},
    {"hidden", "torrent-attribute", [](Case& c) { c.parts.file["attr"] = text("h"); }},
    {"v1 attribute", "torrent-attribute", [](Case& c) { c.parts.info["attr"] = text("x"); }, true},
    {"similar torrents", "torrent-attribute",
     [](Case& c) { c.parts.info["similar"] = "l" + text(std::string(20, 's')) + "e"; }},
    {"length differs", "torrent-size", [](Case& c) { c.parts.file["length"] = number(200'001); }},
    {"negative length", "torrent-size", [](Case& c) { c.parts.file["length"] = number(-1); }},
    {"no length", "torrent-size", [](Case& c) { c.parts.file.erase("length"); }},
    {"length is a text", "torrent-size", [](Case& c) { c.parts.file["length"] = text("200000"); }},
    {"length zero, and promised so", "torrent-size",
     [](Case& c) {
       c.parts.file["length"] = number(0);
       c.promised.content_size = {0};
     }},
    {"halves disagree on length", "torrent-size", [](Case& c) { c.parts.info["length"] = number(100'000); }, true},
    {"halves disagree on pieces", "torrent-layers",
     [](Case& c) { c.parts.info["pieces"] = text(std::string(60, 'x')); }, true},
    {"v1 half not promised", "torrent-info-hash", [](Case& c) { c.promised.info_hash_v1.reset(); }, true},
    {"piece length differs", "torrent-piece-length", [](Case& c) { c.parts.info["piece length"] = number(131072); }},
    {"piece length no power of two", "torrent-piece-length",
     [](Case& c) {
       c.parts.info["piece length"] = number(65537);
       c.promised.piece_length = {65537};
     }},
    {"piece length zero", "torrent-piece-length",
     [](Case& c) {
       c.parts.info["piece length"] = number(0);
       c.promised.piece_length = {0};
     }},
    {"piece length too long", "torrent-piece-length",
     [](Case& c) {
       c.parts.info["piece length"] = number(32 << 20);
       c.promised.piece_length = 32_MiB;
     }},
    {"no piece length", "torrent-piece-length", [](Case& c) { c.parts.info.erase("piece length"); }},
    {"no layers", "torrent-layers", [](Case& c) { c.parts.with_layers = false; }},
    {"empty layers", "torrent-layers", [](Case& c) { c.parts.layers.clear(); }},
    {"layer of another root", "torrent-layers",
     [](Case& c) {
       c.parts.layers = {{std::string(32, 'r'), c.parts.layers.begin()->second}};
     }},
    {"second layer", "torrent-layers", [](Case& c) { c.parts.layers[std::string(32, 'r')] = text(""); }},
    {"layer too short", "torrent-layers", [](Case& c) { c.parts.layers[c.root] = text(std::string(3 * 32, 'h')); }},
    {"layer cut off in a hash", "torrent-layers",
     [](Case& c) { c.parts.layers[c.root] = text(std::string(4 * 32 + 1, 'h')); }},
    {"layer of other hashes", "torrent-layers",
     [](Case& c) { c.parts.layers[c.root] = text(std::string(4 * 32, 'h')); }},
    {"layer is a number", "torrent-layers", [](Case& c) { c.parts.layers[c.root] = number(1); }},
    {"root too short", "torrent-layers", [](Case& c) { c.parts.file["pieces root"] = text("short"); }},
    {"no root", "torrent-layers", [](Case& c) { c.parts.file.erase("pieces root"); }},
    {"layer for a single piece", "torrent-layers",
     [](Case& c) {
       c.parts.file["length"] = number(1000);
       c.promised.content_size = {1000};
     }},
    {"too deep", "torrent-syntax", [](Case& c) { c.parts.top["a"] = deep(100'000); }},
    {"chunks promised, one file there", "torrent-name",
     [](Case& c) {
       c.promised.chunks = document::Chunks{64_KiB, 1};
     }},
};

/// The same for a good torrent of three chunks of 1000 bytes.
std::vector<Row> const rows_of_chunks{
    {"nothing wrong (chunks)", "accepted", [](Case&) {}},
    {"one file promised, chunks there", "torrent-files", [](Case& c) { c.promised.chunks.reset(); }},
    {"a chunk too few", "torrent-files", [](Case& c) { c.parts.tree.erase("000002.zst"); }},
    {"a chunk too many", "torrent-files", [](Case& c) { c.parts.tree["000003.zst"] = chunk(1000); }},
    {"a gap between chunks", "torrent-name",
     [](Case& c) { c.parts.tree["000003.zst"] = c.parts.tree.extract("000002.zst").mapped(); }},
    {"a chunk of another name", "torrent-name",
     [](Case& c) { c.parts.tree["2.zst"] = c.parts.tree.extract("000002.zst").mapped(); }},
    {"a chunk that climbs out", "torrent-name",
     [](Case& c) { c.parts.tree[".."] = c.parts.tree.extract("000000.zst").mapped(); }},
    {"a chunk in a directory", "torrent-files",
     [](Case& c) {
       c.parts.tree["000001.zst"] = dict({{"deeper", chunk(1000)}});
     }},
    {"a chunk that is a symbolic link", "torrent-attribute",
     [](Case& c) {
       c.parts.tree["000001.zst"] = dict({{"", dict({{"attr", text("l")}, {"length", number(1000)}})}});
     }},
    {"an empty chunk", "torrent-size", [](Case& c) { c.parts.tree["000001.zst"] = chunk(0); }},
    {"a negative chunk that makes the sum right", "torrent-size",
     [](Case& c) {
       c.parts.tree["000000.zst"] = chunk(-1000);
       c.parts.tree["000001.zst"] = chunk(3000);
     }},
    {"a chunk of another length", "torrent-size", [](Case& c) { c.parts.tree["000001.zst"] = chunk(1001); }},
    {"a chunk of several pieces", "torrent-size",
     [](Case& c) {
       c.parts.tree["000001.zst"] = chunk(65537);
       c.promised.content_size = {2000 + 65537};
     }},
    {"a chunk without a root", "torrent-layers",
     [](Case& c) {
       c.parts.tree["000001.zst"] = dict({{"", dict({{"length", number(1000)}})}});
     }},
    {"a layer for a chunk", "torrent-layers",
     [](Case& c) { c.parts.layers[std::string(32, 'r')] = text(std::string(32, 'r')); }},
    {"the directory has another name", "torrent-name", [](Case& c) { c.parts.info["name"] = text("other"); }},
    {"the directory climbs out", "torrent-name", [](Case& c) { c.parts.info["name"] = text(".."); }},
    {"chunks with a v1 half", "torrent-info-hash",
     [](Case& c) { c.parts.info["pieces"] = text(std::string(60, 'x')); }},
    {"chunks with a v1 list of files", "torrent-files",
     [](Case& c) {
       c.parts.info["files"] = "l" + dict({{"length", number(3000)}, {"path", "l" + text("x") + "e"}}) + "e";
     }},
};

struct Encoding {
  char const* name;
  std::string bytes;
};

/// The same torrent in other bytes. Only one form is canonical; libtorrent loads some of the others.
std::vector<Encoding> other_encodings(std::string const& bytes) {
  return {
      {"empty", ""},
      {"not bencoding", "<html>"},
      {"trailing byte", bytes + "x"},
      {"trailing newline", bytes + "\n"},
      {"two torrents", bytes + bytes},
      {"cut off", bytes.substr(0, bytes.size() - 1)},
      {"cut off in a text", bytes.substr(0, bytes.size() / 2)},
      {"duplicate key", replaced(bytes, "12:meta versioni2e", "12:meta versioni2e12:meta versioni2e")},
      {"keys out of order",
       replaced(bytes, "6:lengthi200000e12:meta versioni2e", "12:meta versioni2e6:lengthi200000e")},
      {"leading zero in a number", replaced(bytes, "i200000e12:meta", "i0200000e12:meta")},
      {"leading zero in a length", replaced(bytes, "4:name", "04:name")},
      {"plus sign", replaced(bytes, "i2e", "i+2e")},
      {"minus zero", replaced(bytes, "i2e", "i-0e")},
      {"number too large", replaced(bytes, "i200000e12:meta", "i99999999999999999999e12:meta")},
      {"number is empty", replaced(bytes, "i2e", "ie")},
      {"text longer than the file", replaced(bytes, "name8:disk.img", "name99999999:disk.img")},
      {"negative length of a text", replaced(bytes, "name8:disk.img", "name-8:disk.img")},
      {"key is a number", replaced(bytes, "12:meta version", "i5e")},
  };
}

std::string verdict(Case const& made, std::string const& bytes) {
  return outcome_of(torrent::admit(bytes, made.promised));
}

/// `made` with a promise about these bytes that the endorser breaks afterwards.
std::string verdict_after(bool hybrid, std::function<void(Case&, std::string&)> const& change) {
  auto made = good(hybrid);
  auto bytes = made.parts.bytes();
  made.sign(bytes);
  change(made, bytes);
  return verdict(made, bytes);
}

/// What goes into the swarm of a torrent that names sources of its own.
std::string sources_left() {
  auto made = good(false);
  made.parts.top = {{"announce", text("http://evil.example/announce")},
                    {"announce-list", "ll" + text("http://evil.example/announce") + "ee"},
                    {"httpseeds", "l" + text("http://evil.example/") + "e"},
                    {"nodes", "ll" + text("evil.example") + number(6881) + "ee"},
                    {"similar", "l" + text(std::string(20, 's')) + "e"},
                    {"url-list", text("http://evil.example/")}};
  auto const bytes = made.parts.bytes();
  made.sign(bytes);
  auto const admitted = torrent::admit(bytes, made.promised);
  if (!admitted) return outcome_of(admitted);
  return torrent::bare(*admitted) ==
                 dict({{"info", made.parts.info_bytes()}, {"piece layers", dict(made.parts.layers)}})
             ? "accepted"
             : "sources left";
}

}  // namespace

Table torrents() {
  Table table;
  auto const add = [&](char const* name, char const* expected, std::function<std::string()> outcome) {
    table.push_back({"torrent", name, expected, std::move(outcome)});
  };
  auto const add_row = [&](Row const& row, Case whole) {
    add(row.name, row.expected, [&row, made = std::move(whole)]() mutable {
      row.spoil(made);
      auto const bytes = made.parts.bytes();
      made.sign(bytes);
      return verdict(made, bytes);
    });
  };
  for (auto const& row : rows) add_row(row, good(row.hybrid));
  for (auto const& row : rows_of_chunks) add_row(row, good_chunks());
  for (auto const& encoding : other_encodings(good(true).parts.bytes())) {
    add(encoding.name, "torrent-syntax", [bytes = encoding.bytes] {
      auto made = good(true);
      made.sign(bytes);
      return verdict(made, bytes);
    });
  }
  add("sources of its own, of which none reach the swarm", "accepted", sources_left);
  add("another torrent of the same length than the signed one", "hash-mismatch",
      [] { return verdict_after(false, [](Case&, std::string& bytes) { bytes.back() = 'x'; }); });
  add("a byte behind the signed torrent", "hash-mismatch",
      [] { return verdict_after(false, [](Case&, std::string& bytes) { bytes += 'x'; }); });
  add("an older torrent of the same image", "hash-mismatch", [] {
    return verdict_after(false, [](Case& made, std::string& bytes) {
      made.parts.top["creation date"] = number(1);
      bytes = made.parts.bytes();
    });
  });
  add("a torrent file of 33 MiB promised", "too-large",
      [] { return verdict_after(false, [](Case& made, std::string&) { made.promised.file_size = 33_MiB; }); });
  add("another v2 info-hash than the signed one", "torrent-info-hash",
      [] { return verdict_after(false, [](Case& made, std::string&) { made.promised.info_hash_v2.bytes[3] ^= 1; }); });
  add("another v1 info-hash than the signed one", "torrent-info-hash",
      [] { return verdict_after(true, [](Case& made, std::string&) { made.promised.info_hash_v1->bytes[3] ^= 1; }); });
  return table;
}

}  // namespace imageswarm::attacks
