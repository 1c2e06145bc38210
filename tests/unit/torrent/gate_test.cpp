#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "common/torrent/bencode.hpp"
#include "common/torrent/merkle.hpp"
#include "common/torrent/torrent.hpp"

using namespace imageswarm;
using torrent::admit;

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
};

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

std::string verdict(Case const& made, std::string const& bytes) {
  auto const admitted = admit(bytes, made.promised);
  return admitted ? "admitted" : std::string{word(admitted.error().fault)};
}

/// One attack: what it does to a good torrent before it is signed, and the word it must get.
struct Attack {
  char const* name;
  char const* word;
  std::function<void(Case&)> spoil;
  bool hybrid = false;
};

std::string deep(int levels) {
  return std::string(static_cast<std::size_t>(levels), 'l') + std::string(static_cast<std::size_t>(levels), 'e');
}

Attack const attacks[] = {
    {"nothing wrong (v2)", "admitted", [](Case&) {}},
    {"nothing wrong (hybrid)", "admitted", [](Case&) {}, true},
    {"trackers, web seeds and nodes, which are ignored", "admitted",
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
    {"promised certificates missing", "torrent-downgrade", [](Case& c) { c.promised.ssl = true; }},
    {"certificates not promised", "torrent-attribute", [](Case& c) { c.parts.info["ssl-cert"] = text("PEM"); }},
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
    {"layout chunks", "torrent-layout", [](Case& c) { c.promised.layout = "chunks"; }},
};

std::string replaced(std::string bytes, std::string_view from, std::string_view to) {
  auto const at = bytes.find(from);
  REQUIRE(at != bytes.npos);
  return bytes.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the gate has one word for each hostile torrent", "[torrent]") {
  for (auto const& attack : attacks) {
    CAPTURE(attack.name);
    auto made = good(attack.hybrid);
    attack.spoil(made);
    auto const bytes = made.parts.bytes();
    made.sign(bytes);
    CHECK(verdict(made, bytes) == attack.word);
  }
}

TEST_CASE("the gate takes canonical bencoding only", "[torrent]") {
  auto made = good(true);
  auto const bytes = made.parts.bytes();
  struct Spoilt {
    char const* name;
    std::string bytes;
  };
  Spoilt const cases[] = {
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
      {"leading zero in a number", replaced(bytes, "i200000e", "i0200000e")},
      {"leading zero in a length", replaced(bytes, "4:name", "04:name")},
      {"plus sign", replaced(bytes, "i2e", "i+2e")},
      {"minus zero", replaced(bytes, "i2e", "i-0e")},
      {"number too large", replaced(bytes, "i200000e", "i99999999999999999999e")},
      {"number is empty", replaced(bytes, "i2e", "ie")},
      {"text longer than the file", replaced(bytes, "8:disk.img", "99999999:disk.img")},
      {"negative length of a text", replaced(bytes, "8:disk.img", "-8:disk.img")},
      {"key is a number", replaced(bytes, "12:meta version", "i5e")},
  };
  for (auto const& spoilt : cases) {
    CAPTURE(spoilt.name);
    made.sign(spoilt.bytes);
    CHECK(verdict(made, spoilt.bytes) == "torrent-syntax");
  }
}

TEST_CASE("a torrent file that is not the signed one is refused before it is read", "[torrent]") {
  auto made = good(false);
  auto const bytes = made.parts.bytes();
  made.sign(bytes);
  auto other = bytes;
  other.back() = 'x';
  CHECK(verdict(made, other) == "hash-mismatch");
  CHECK(verdict(made, bytes + "x") == "hash-mismatch");
  made.promised.file_size = 33_MiB;
  CHECK(verdict(made, bytes) == "too-large");
}

TEST_CASE("a torrent with another info-hash than the signed one is refused", "[torrent]") {
  for (bool const hybrid : {false, true}) {
    auto made = good(hybrid);
    auto const bytes = made.parts.bytes();
    made.sign(bytes);
    auto& hash = hybrid ? made.promised.info_hash_v1->bytes[3] : made.promised.info_hash_v2.bytes[3];
    hash ^= 1;
    CHECK(verdict(made, bytes) == "torrent-info-hash");
  }
}

TEST_CASE("what the builder makes passes the gate, at every size", "[torrent]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    for (std::size_t const size : {1u, 16385u, 65536u, 65537u, 131072u, 400'001u}) {
      CAPTURE(size);
      torrent::Builder builder{64_KiB, flavour};
      std::string const content(size, 'x');
      builder.update(std::as_bytes(std::span{content}));
      auto const built = builder.finish("disk.img", TimePoint{});
      REQUIRE(built);
      document::Torrent promised;
      promised.file_size = {built->bytes.size()};
      promised.file_sha256 = digest_of<Sha256>(built->bytes);
      promised.info_hash_v2 = built->info_hash_v2;
      promised.info_hash_v1 = built->info_hash_v1;
      promised.piece_length = 64_KiB;
      promised.content_name = "disk.img";
      promised.content_size = {size};
      auto const admitted = admit(built->bytes, promised);
      CHECK((admitted ? "" : admitted.error().line()) == "");
    }
  }
}
