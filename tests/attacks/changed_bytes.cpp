// Nobody but its signer can change a byte of a signed document: each byte of one of every kind, several ways.
#include <cstdio>
#include <string>

#include "tests/attacks/attack.hpp"
#include "tests/attacks/host.hpp"

namespace imageswarm::attacks {
namespace {

/// Other letter case or neighbour in the alphabet, primitive for constructed in tags, and characters that mean
/// something to YAML or to the reader of the signature block.
std::string variants_of(char byte) {
  std::string variants{static_cast<char>(byte ^ 0x01), static_cast<char>(byte ^ 0x20), static_cast<char>(byte ^ 0x80)};
  return variants + "\n A";
}

struct Signed {
  std::string name;
  std::string bytes;
  trust::Expectation expected;
};

std::string outcome_of_changes(Signed const& document, std::size_t stride, std::size_t seed) {
  if (offer_any(document.bytes, document.expected) != "accepted") return "the document itself is refused";
  std::size_t changes = 0;
  for (auto at = seed % stride; at < document.bytes.size(); at += stride) {
    for (char const other : variants_of(document.bytes[at])) {
      auto altered = document.bytes;
      altered[at] = other;
      if (altered == document.bytes) continue;
      ++changes;
      if (offer_any(altered, document.expected) == "accepted") return "byte " + std::to_string(at) + " may be changed";
    }
  }
  std::fprintf(stderr, "%s: %zu changes of its %zu bytes\n", document.name.c_str(), changes, document.bytes.size());
  return "refused";
}

}  // namespace

Table changed_bytes(std::size_t stride, std::size_t seed) {
  auto short_catalogue = sample_catalogue();
  short_catalogue.images.pop_back();
  std::vector<Signed> const documents{
      {"catalogue (P-256)", signed_by("bob", short_catalogue), subscription()},
      {"catalogue (RSA)", signed_by("ada", short_catalogue), subscription()},
      {"approval list", signed_by("bob", sample_approval_list()), subscription(document::Kind::approval_list)},
      {"endorser list", signed_by("bob", sample_endorser_list()), subscription(document::Kind::endorser_list)},
  };
  Table table;
  for (auto const& document : documents) {
    table.push_back({"bytes", document.name + ": any byte changed", "refused",
                     [=] { return outcome_of_changes(document, stride, seed); }});
  }
  return table;
}

}  // namespace imageswarm::attacks
