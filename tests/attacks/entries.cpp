// What a listed endorser writes into an entry, and a site into a rule: bad entries are refused alone, bad rules are
// refused with the whole list.
#include <stdexcept>

#include "tests/attacks/attack.hpp"
#include "tests/attacks/host.hpp"

namespace imageswarm::attacks {
namespace {

using document::Image;

void chunked(Image& image, ByteCount size) {
  image.torrent.compression = document::Compression::zstd;
  image.torrent.chunks = document::Chunks{size, 1};
}

struct EntryRow {
  char const* name;
  char const* expected;
  void (*spoil)(Image&);
};

std::vector<EntryRow> const entries_spoilt{
    {"nothing wrong", "accepted", [](Image&) {}},
    {"the ID of another content", "doc-field", [](Image& i) { i.content_sha256.bytes[0] ^= 1; }},
    {"the ID of another family", "doc-field", [](Image& i) { i.uuid = i.image_id; }},
    {"a name with a slash", "doc-field", [](Image& i) { i.name = "debian/../12"; }},
    {"a name that begins with a dash", "doc-field", [](Image& i) { i.name = "-rf"; }},
    {"a name with a line feed", "doc-field", [](Image& i) { i.name = "debian\n12"; }},
    {"a name of 129 characters", "doc-field", [](Image& i) { i.name = std::string(129, 'a'); }},
    {"a description that moves the cursor", "doc-field", [](Image& i) { i.description = "\x1b[2J"; }},
    {"a description of a mebibyte", "doc-field", [](Image& i) { i.description = std::string(1u << 20, 'x'); }},
    {"a version in letters", "doc-field", [](Image& i) { i.version.text = "latest"; }},
    {"a version with a dot too many", "doc-field", [](Image& i) { i.version.text = "1..2"; }},
    {"a version of digits without end", "doc-field", [](Image& i) { i.version.text = std::string(10'000, '9'); }},
    {"a content name that climbs out", "doc-field", [](Image& i) { i.torrent.content_name = "../../etc/passwd"; }},
    {"a content name that is absolute", "doc-field", [](Image& i) { i.torrent.content_name = "/etc/passwd"; }},
    {"a hidden content name", "doc-field", [](Image& i) { i.torrent.content_name = ".ssh"; }},
    {"a content name of two dots", "doc-field", [](Image& i) { i.torrent.content_name = ".."; }},
    {"a torrent name that climbs out", "doc-field", [](Image& i) { i.torrent.name = "../x.torrent"; }},
    {"a volume name that is an option", "doc-field", [](Image& i) { i.volume_name = "--force"; }},
    {"a volume name with a slash", "doc-field", [](Image& i) { i.volume_name = "vg0/root"; }},
    {"a torrent from a file", "doc-field", [](Image& i) { i.torrent.download_url = "file:///etc/passwd"; }},
    {"a torrent by ftp", "doc-field", [](Image& i) { i.torrent.download_url = "ftp://example.org/x"; }},
    {"a torrent by gopher", "doc-field", [](Image& i) { i.torrent.download_url = "gopher://127.0.0.1:25/x"; }},
    {"a magnet link", "doc-field", [](Image& i) { i.torrent.download_url = "magnet:?xt=urn:btih:00"; }},
    {"a torrent URL with a password", "doc-field", [](Image& i) { i.torrent.download_url = "https://a:b@x.org/t"; }},
    {"a torrent URL with a line feed", "doc-field",
     [](Image& i) { i.torrent.download_url = "https://x.org/t\r\nHost: y"; }},
    {"a torrent URL without a host", "doc-field", [](Image& i) { i.torrent.download_url = "https:///t"; }},
    {"pieces of no bytes", "doc-field", [](Image& i) { i.torrent.piece_length = {0}; }},
    {"pieces that are no power of two", "doc-field", [](Image& i) { i.torrent.piece_length = {65537}; }},
    {"pieces of 32 MiB", "doc-field", [](Image& i) { i.torrent.piece_length = 32_MiB; }},
    {"an artefact of no bytes", "doc-field", [](Image& i) { i.torrent.content_size = {0}; }},
    {"a content larger than any disk", "doc-field", [](Image& i) { i.content_size = {UINT64_MAX}; }},
    {"chunks that are not compressed", "torrent-layout",
     [](Image& i) {
       i.torrent.chunks = document::Chunks{4_MiB, 1};
     }},
    {"chunks of no bytes", "doc-field", [](Image& i) { chunked(i, {0}); }},
    {"chunks of 2 GiB", "torrent-layout", [](Image& i) { chunked(i, 2_GiB); }},
    {"more chunks than a host takes files", "torrent-layout",
     [](Image& i) {
       i.content_size = 1024_GiB;
       chunked(i, 64_KiB);
     }},
    {"a format that Glance does not know", "doc-field", [](Image& i) { i.disk_format = "exe"; }},
    {"a property that says who endorsed it", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"imageswarm_endorser", "CN=Ada"}};
     }},
    {"the same in capitals", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"IMAGESWARM_ENDORSER", "CN=Ada"}};
     }},
    {"a property of Glance itself", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"os_glance_importing", "x"}};
     }},
    {"a signature for Nova to believe", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"img_signature_certificate_uuid", "x"}};
     }},
    {"an owner", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"owner", "admin"}};
     }},
    {"a location elsewhere", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"locations", "file:///etc/passwd"}};
     }},
    {"protection from deletion", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"protected", "true"}};
     }},
    {"a property without a name", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"", "x"}};
     }},
    {"a property name with a line feed", "doc-field",
     [](Image& i) {
       i.glance_properties = {{"a\nb", "x"}};
     }},
    {"a visibility that there is not", "doc-field", [](Image& i) { i.visibility = "everybody"; }},
    {"never endorsed", "doc-field", [](Image& i) { i.endorsed = {}; }},
};

struct EntryLineRow {
  char const* name;
  char const* expected;
  char const* key;
  char const* value;
};

/// Values that our own writer cannot be made to write.
std::vector<EntryLineRow> const entry_lines{
    {"a digest in capitals", "doc-field", "content-sha256",
     "ED7002B439E9AC845F22357D822BAC1444730FBDB6016D3EC9432297B9EC9F73"},
    {"a digest of 63 digits", "doc-field", "content-sha256",
     "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f7"},
    {"a SHA-1 for a SHA-256", "doc-field", "torrent-content-sha256", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"an empty digest", "doc-field", "torrent-file-sha256", "\"\""},
    {"a size with a sign", "doc-field", "torrent-content-size", "-7"},
    {"a size of 2^64 + 7", "doc-field", "torrent-content-size", "18446744073709551623"},
    {"a size with a unit", "doc-field", "content-size", "7B"},
    {"a compression that there is not", "doc-field", "torrent-content-compressed", "lzma"},
    {"yes for true", "doc-field", "shareable", "yes"},
    {"a family that is no UUID", "doc-field", "uuid", "debian"},
    {"a family in braces", "doc-field", "uuid", "\"{6ba7b810-9dad-11d1-80b4-00c04fd430c8}\""},
    {"an ID that is a list", "doc-field", "image-id", "[x]"},
};

/// The word for the one bad entry of a catalogue; what is wrong with it must not touch the other image.
std::string word_for_entry(std::string const& body) {
  auto const verified = trust::verify_catalogue(signed_by("bob", std::string_view{body}), ca().anchors(),
                                                subscription(), {}, {ca().now(), ca().now()});
  if (!verified) return "the catalogue: " + outcome_of(verified);
  auto const& content = verified->content();
  if (content.images.size() + content.refused.size() != 2) return "another number of entries";
  if (content.refused.empty()) return "accepted";
  if (content.refused.size() > 1 || content.images.front().name != "alma-9") return "not that entry alone";
  return std::string{word(content.refused.front().error.fault)};
}

std::string with_value(std::string text, std::string const& key, std::string const& value) {
  auto const at = text.find(" " + key + ": ", text.find("images:"));
  if (at == text.npos) throw std::runtime_error{"no key " + key};
  auto const begin = at + key.size() + 3;
  return text.replace(begin, text.find('\n', begin) - begin, value);
}

struct RuleRow {
  char const* name;
  char const* expected;
  char const* rules;
};

std::vector<RuleRow> const rules{
    {"approve and recall", "accepted", "approve:\n  - all: true\nrecall:\n  - name: \"alma-*\"\n    reason: a hole\n"},
    {"no rules", "accepted", "approve: []\n"},
    {"a rule without a key", "doc-field", "recall:\n  - reason: a hole\n"},
    {"a rule with a key that nobody knows", "doc-field", "recall:\n  - name: x\n    severity: high\n"},
    {"a key with a slip", "doc-field", "recall:\n  - imageid: x\n"},
    {"all: false", "doc-field", "approve:\n  - all: false\n"},
    {"all: yes", "doc-field", "approve:\n  - all: yes\n"},
    {"a recall of a name that cannot be read", "doc-field", "recall:\n  - endorser: Ada\n"},
    {"a recall of two values in one part", "doc-field", "recall:\n  - endorser: CN=Ada+UID=ada\n"},
    {"a recall by an issuer that cannot be read", "doc-field", "recall:\n  - name: x\n    issuer: /O=a//CN=b\n"},
    {"a rule that is a text", "doc-field", "recall:\n  - everything\n"},
    {"rules that are a map", "doc-field", "recall: {all: true}\n"},
    {"the recalls twice", "yaml-duplicate-key", "recall:\n  - all: true\nrecall: []\n"},
    {"a UUID that is none", "doc-field", "recall:\n  - uuid: all\n"},
    {"a catalogue's images in it", "accepted", "images: []\napprove:\n  - all: true\n"},
};

std::string offer_rules(std::string_view text) {
  auto list = sample_approval_list();
  list.approve.clear();
  list.recall.clear();
  auto body = document::write(list);
  body.erase(body.find("approve:"));
  return offer_any(signed_by("bob", std::string_view{body + std::string{text}}),
                   subscription(document::Kind::approval_list));
}

}  // namespace

Table entries() {
  Table table;
  auto const add = [&](std::string name, std::string expected, std::function<std::string()> outcome) {
    table.push_back({"document", std::move(name), std::move(expected), std::move(outcome)});
  };
  for (auto const& row : entries_spoilt) {
    add(std::string{"entry: "} + row.name, row.expected, [&row] {
      auto catalogue = sample_catalogue();
      row.spoil(catalogue.images.front());
      return word_for_entry(document::write(catalogue));
    });
  }
  for (auto const& row : entry_lines) {
    add(std::string{"entry: "} + row.name, row.expected,
        [&row] { return word_for_entry(with_value(document::write(sample_catalogue()), row.key, row.value)); });
  }
  add("entry: the same image ID twice", "doc-field", [] {
    auto catalogue = sample_catalogue();
    catalogue.images.push_back(catalogue.images.front());
    return offer(signed_by("bob", catalogue));
  });
  add("entry: listed and withdrawn at once", "doc-field", [] {
    auto catalogue = sample_catalogue();
    auto const& image = catalogue.images.front();
    catalogue.withdrawn = {{image.image_id, image.uuid, ca().now(), "a hole"}};
    return word_for_entry(document::write(catalogue));
  });
  for (auto const& row : rules) {
    add(std::string{"rule: "} + row.name, row.expected, [&row] { return offer_rules(row.rules); });
  }
  return table;
}

}  // namespace imageswarm::attacks
