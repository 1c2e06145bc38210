// What hides around the signature block, and what a properly signed document says of itself.
#include <chrono>

#include "tests/attacks/attack.hpp"
#include "tests/attacks/host.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using document::Header;

struct TextRow {
  char const* name;
  char const* expected;
  std::string (*change)(std::string text);
};

std::string const key_line = "x509-signature: |\n";

std::string with_line_ends(std::string const& text, std::string_view end) {
  std::string changed;
  for (char const c : text) changed += c == '\n' ? std::string{end} : std::string{c};
  return changed;
}

/// By somebody on the way, who has no key.
std::vector<TextRow> const on_the_way{
    {"nothing changed", "accepted", [](std::string text) { return text; }},
    {"blank lines at the end", "accepted", [](std::string text) { return text + "\n   \n"; }},
    {"empty", "sig-missing", [](std::string) { return ""s; }},
    {"the signature left out", "sig-missing", [](std::string text) { return text.substr(0, text.find(key_line)); }},
    {"the signature commented out", "sig-missing",
     [](std::string text) { return replaced(text, key_line, "# " + key_line); }},
    {"the signature indented", "sig-missing",
     [](std::string text) { return replaced(text, key_line, " " + key_line); }},
    {"a page of HTML", "sig-missing", [](std::string) { return "<html>503 Service Unavailable</html>\n"s; }},
    {"the serial raised", "sig-invalid", [](std::string text) { return replaced(text, "serial: 42", "serial: 43"); }},
    {"a comment in front", "sig-invalid", [](std::string text) { return "# fetched\n" + text; }},
    {"a blank line in front", "sig-invalid", [](std::string text) { return "\n" + text; }},
    {"a byte order mark in front", "sig-invalid", [](std::string text) { return "\xef\xbb\xbf" + text; }},
    {"a key between body and signature", "sig-invalid",
     [](std::string text) { return replaced(text, key_line, "images: []\n" + key_line); }},
    {"a blank line between body and signature", "sig-invalid",
     [](std::string text) { return replaced(text, key_line, "\n" + key_line); }},
    {"the body's last line feed gone", "sig-missing",
     [](std::string text) { return replaced(text, "\n" + key_line, key_line); }},
    {"a blank at the end of a line", "sig-invalid",
     [](std::string text) { return replaced(text, "serial: 42\n", "serial: 42 \n"); }},
    {"a URL in other case", "sig-invalid",
     [](std::string text) { return replaced(text, "https://tracker", "HTTPS://tracker"); }},
    {"CR LF in the body", "sig-invalid",
     [](std::string text) {
       auto const at = text.find(key_line);
       return with_line_ends(text.substr(0, at), "\r\n") + text.substr(at);
     }},
    {"CR LF everywhere", "doc-signature-block", [](std::string text) { return with_line_ends(text, "\r\n"); }},
    {"CR alone everywhere", "sig-missing", [](std::string text) { return with_line_ends(text, "\r"); }},
    {"a key behind the signature", "doc-signature-block", [](std::string text) { return text + "images: []\n"; }},
    {"a comment behind the signature", "doc-signature-block", [](std::string text) { return text + "# seen\n"; }},
    {"a second document behind the signature", "doc-signature-block",
     [](std::string text) { return text + "---\nserial: 99\n"; }},
    {"the signature twice", "doc-signature-block",
     [](std::string text) { return text + text.substr(text.find(key_line)); }},
    {"another signature in front", "doc-signature-block",
     [](std::string text) { return key_line + "  AAAA\n" + text; }},
    {"two documents, one after the other", "doc-signature-block", [](std::string text) { return text + text; }},
    {"the block interrupted by a blank line", "doc-signature-block",
     [](std::string text) { return text.insert(text.find(key_line) + key_line.size() + 79, "\n"); }},
    {"the block in quotation marks", "doc-signature-block",
     [](std::string text) { return replaced(text, key_line, "x509-signature: \"\n"); }},
    {"the block folded", "doc-signature-block",
     [](std::string text) { return replaced(text, "signature: |", "signature: >"); }},
    {"the block stripped", "doc-signature-block",
     [](std::string text) { return replaced(text, "signature: |", "signature: |-"); }},
    {"the block indented with a tab", "doc-signature-block",
     [](std::string text) { return replaced(text, key_line + "  ", key_line + "\t"); }},
    {"base64 with a character that is none", "doc-signature-block",
     [](std::string text) { return replaced(text, key_line + "  M", key_line + "  *"); }},
    {"base64 with a blank in it", "doc-signature-block",
     [](std::string text) { return replaced(text, key_line + "  M", key_line + "  M "); }},
    {"base64 for URLs", "doc-signature-block",
     [](std::string text) { return replaced(text, key_line + "  M", key_line + "  -"); }},
    {"a line longer than 76 columns", "doc-signature-block",
     [](std::string text) { return text.erase(text.find(key_line) + key_line.size() + 78, 3); }},
    {"a NUL behind the signature", "doc-signature-block", [](std::string text) { return text + '\0'; }},
    {"a signature of a mebibyte", "doc-signature-block",
     [](std::string text) {
       text.resize(text.find(key_line) + key_line.size());
       for (int i = 0; i < 14'000; ++i) text += "  " + std::string(76, 'A') + "\n";
       return text;
     }},
    {"16 MiB and a byte", "too-large",
     [](std::string text) { return std::string(document::max_document_size.value + 1 - text.size(), '\n') + text; }},
};

struct HeaderRow {
  char const* name;
  char const* expected;
  void (*spoil)(Header&);
};

std::vector<HeaderRow> const headers{
    {"issued four minutes ahead", "accepted", [](Header& h) { h.issued = ca().now() + 4min; }},
    {"issued six minutes ahead", "doc-future", [](Header& h) { h.issued = ca().now() + 6min; }},
    {"expired this second", "doc-expired", [](Header& h) { h.expires = ca().now(); }},
    {"expired a year ago", "doc-expired",
     [](Header& h) {
       h.issued -= std::chrono::days{366};
       h.expires = h.issued + std::chrono::days{1};
     }},
    {"good for 90 days", "accepted", [](Header& h) { h.expires = h.issued + std::chrono::days{90}; }},
    {"good for 90 days and a second", "doc-field",
     [](Header& h) { h.expires = h.issued + std::chrono::days{90} + 1s; }},
    {"good for ever", "doc-field", [](Header& h) { h.expires = *parse_time("9999-12-31T23:59:59Z"); }},
    {"ends before it begins", "doc-field", [](Header& h) { h.expires = h.issued - 1s; }},
    {"ends as it begins", "doc-field", [](Header& h) { h.expires = h.issued; }},
    {"another name", "doc-name", [](Header& h) { h.name = "example2"; }},
    {"a name that begins like it", "doc-name", [](Header& h) { h.name = "exampl"; }},
    {"the next epoch", "doc-epoch", [](Header& h) { h.epoch = 2; }},
    {"format 2", "doc-format", [](Header& h) { h.format = 2; }},
    {"the last serial", "accepted", [](Header& h) { h.serial = document::max_serial; }},
    {"a serial beyond the last", "serial-range", [](Header& h) { h.serial = document::max_serial + 1; }},
    {"serial 2^64 - 1", "serial-range", [](Header& h) { h.serial = UINT64_MAX; }},
    {"serial 0", "serial-range", [](Header& h) { h.serial = 0; }},
};

struct LineRow {
  char const* name;
  char const* expected;
  char const* from;
  char const* to;
};

/// Lines that the endorser himself writes into his header and signs.
std::vector<LineRow> const lines{
    {"an unknown key, of a newer publisher", "accepted", "serial: 42\n", "serial: 42\nfuture-key: x\n"},
    {"no epoch, which is epoch 1", "accepted", "epoch: 1\n", ""},
    {"no kind", "kind-mismatch", "document: catalogue\n", ""},
    {"an unknown kind", "kind-mismatch", "document: catalogue\n", "document: menu\n"},
    {"a kind in capitals", "kind-mismatch", "document: catalogue\n", "document: Catalogue\n"},
    {"an approval list in the place of the catalogue", "kind-mismatch", "document: catalogue\n",
     "document: approval-list\n"},
    {"an endorser list in the place of the catalogue", "kind-mismatch", "document: catalogue\n",
     "document: endorser-list\n"},
    {"the kind a list", "kind-mismatch", "document: catalogue\n", "document: [catalogue]\n"},
    {"the kind twice", "yaml-duplicate-key", "document: catalogue\n", "document: catalogue\ndocument: approval-list\n"},
    {"the serial twice", "yaml-duplicate-key", "serial: 42\n", "serial: 42\nserial: 43\n"},
    {"no format", "doc-format", "format: 1\n", ""},
    {"format 0", "doc-format", "format: 1\n", "format: 0\n"},
    {"format 1.0", "doc-format", "format: 1\n", "format: 1.0\n"},
    {"format 01", "doc-format", "format: 1\n", "format: 01\n"},
    {"format 2^64 + 1", "doc-format", "format: 1\n", "format: 18446744073709551617\n"},
    {"no name", "doc-field", "name: example\n", ""},
    {"a name in capitals", "doc-field", "name: example\n", "name: Example\n"},
    {"a name with a slash", "doc-field", "name: example\n", "name: ../example\n"},
    {"a name with a NUL", "doc-field", "name: example\n", "name: \"example\\0\"\n"},
    {"a name with a blank at the end", "doc-field", "name: example\n", "name: \"example \"\n"},
    {"epoch 0", "doc-field", "epoch: 1\n", "epoch: 0\n"},
    {"epoch -1", "doc-field", "epoch: 1\n", "epoch: -1\n"},
    {"epoch one", "doc-field", "epoch: 1\n", "epoch: one\n"},
    {"no serial", "doc-field", "serial: 42\n", ""},
    {"a serial with a sign", "serial-range", "serial: 42\n", "serial: +42\n"},
    {"a serial in hex", "serial-range", "serial: 42\n", "serial: 0x2a\n"},
    {"a serial as floating point", "serial-range", "serial: 42\n", "serial: 4.2e1\n"},
    {"a serial with a leading zero", "serial-range", "serial: 42\n", "serial: 042\n"},
    {"a serial with an underscore", "serial-range", "serial: 42\n", "serial: 4_2\n"},
    {"a serial in Arabic digits", "serial-range", "serial: 42\n", "serial: \xd9\xa4\xd9\xa2\n"},
    {"an empty serial", "doc-field", "serial: 42\n", "serial:\n"},
    {"a serial that is a list", "serial-range", "serial: 42\n", "serial: [42]\n"},
    {"no time of issue", "doc-field", "issued:", "was-issued:"},
    {"no end", "doc-field", "expires:", "never-expires:"},
    {"the images a text", "doc-field", "images:\n", "images: none\nother:\n"},
    {"the images twice", "yaml-duplicate-key", "images:\n", "images: []\nimages:\n"},
    {"a tracker that is a file", "doc-field", "https://tracker.example.org/announce", "file:///etc/passwd"},
    {"a tracker with a password", "doc-field", "https://tracker.example.org/announce",
     "https://a:b@tracker.example.org/announce"},
    {"a tracker with a line feed", "doc-field", "- https://tracker.example.org/announce",
     "- \"https://tracker.example.org/\\nX: y\""},
    {"an anchor", "yaml-anchor", "name: example\n", "name: &a example\n"},
    {"an alias to nothing", "yaml-alias", "serial: 42\n", "serial: *a\n"},
    {"an alias to itself", "yaml-anchor", "serial: 42\n", "serial: 42\nx: &a [*a]\n"},
    {"a tag", "yaml-tag", "serial: 42\n", "serial: !!int 42\n"},
    {"a merge key", "yaml-merge-key", "serial: 42\n", "serial: 42\n<<: {serial: 43}\n"},
    {"a second document inside of the body", "yaml-second-document", "serial: 42\n", "serial: 42\n---\nserial: 43\n"},
    {"an end of document inside of the body", "yaml-second-document", "serial: 42\n", "serial: 42\n...\nserial: 43\n"},
    {"a directive", "yaml-directive", "document: catalogue\n", "%YAML 1.2\n---\ndocument: catalogue\n"},
    {"a carriage return", "yaml-encoding", "serial: 42\n", "serial: 42\r\n"},
    {"a tab", "yaml-encoding", "serial: 42\n", "serial:\t42\n"},
    {"invalid UTF-8", "yaml-encoding", "name: example\n",
     "name: ex\xff"
     "ample\n"},
    {"an escape sequence for terminals", "yaml-encoding", "serial: 42\n", "serial: 42\nx: \x1b[2J\n"},
};

std::string with_time(std::string_view key, std::string_view time) {
  auto text = document::write(sample_catalogue());
  auto const begin = text.find("\n" + std::string{key} + ": ") + key.size() + 3;
  return text.replace(begin, text.find('\n', begin) - begin, time);
}

constexpr char const* bad_times[] = {"2026-02-30T00:00:00Z",      "2026-01-01T00:00:60Z", "2026-01-01T24:00:00Z",
                                     "2026-01-01T00:00:00",       "2026-01-01 00:00:00Z", "2026-01-01T00:00:00z",
                                     "2026-01-01T00:00:00+00:00", "2026-1-1T00:00:00Z",   "20260101T000000Z",
                                     "2026-01-01T00:00:00.0Z",    "-026-01-01T00:00:00Z", "1767225600"};

}  // namespace

Table documents() {
  ca();  // before there are children, which share it
  auto table = messages();
  auto const add = [&](std::string name, std::string expected, std::function<std::string()> outcome) {
    table.push_back({"document", std::move(name), std::move(expected), std::move(outcome)});
  };
  for (auto const& row : on_the_way) {
    add("on the way: "s + row.name, row.expected,
        [&row] { return offer(row.change(signed_by("bob", sample_catalogue()))); });
  }
  for (auto const& row : headers) {
    add("header: "s + row.name, row.expected, [&row] {
      auto catalogue = sample_catalogue();
      row.spoil(catalogue.header);
      return offer(signed_by("bob", catalogue));
    });
  }
  for (auto const& row : lines) {
    add("header: "s + row.name, row.expected, [&row] {
      return offer(signed_by("bob", std::string_view{replaced(document::write(sample_catalogue()), row.from, row.to)}));
    });
  }
  for (auto const* time : bad_times) {
    add("header: issued "s + time, "doc-field",
        [time] { return offer(signed_by("bob", std::string_view{with_time("issued", time)})); });
  }
  for (auto& attack : entries()) table.push_back(std::move(attack));
  return table;
}

}  // namespace imageswarm::attacks
