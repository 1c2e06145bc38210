#include "common/trust/envelope.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/document/model.hpp"

namespace imageswarm::trust {
namespace {

constexpr std::string_view key = "x509-signature:";
constexpr std::string_view key_line = "x509-signature: |\n";
constexpr std::size_t columns = 76;

/// The next line at or after `from` (the beginning of a line) that begins with the key.
std::size_t find_key(std::string_view text, std::size_t from) {
  while (from < text.size() && !text.substr(from).starts_with(key)) {
    auto const end = text.find('\n', from);
    from = end == text.npos ? end : end + 1;
  }
  return std::min(from, text.size());
}

Result<std::string> base64_of(std::string_view block) {
  std::string base64;
  bool ended = false;
  for (auto line : split(block, '\n')) {
    if (line.find_first_not_of(' ') == line.npos) {
      ended = true;
      continue;
    }
    if (ended) return fail(Fault::doc_signature_block, "something follows the signature block");
    if (!line.starts_with("  ") || line.size() > columns + 2) {
      return fail(Fault::doc_signature_block,
                  "the signature block is not base64 in lines of at most {} columns, indented by two blanks", columns);
    }
    base64 += line.substr(2);
  }
  return base64;
}

}  // namespace

Result<Envelope> open_envelope(std::string_view document) {
  if (document.size() > document::max_document_size.value) {
    return fail(Fault::too_large, "the document is larger than {}", human(document::max_document_size));
  }
  auto const at = find_key(document, 0);
  if (at == document.size()) return fail(Fault::sig_missing, "the document has no line '{} |'", key);
  if (find_key(document, document.find('\n', at)) != document.size()) {
    return fail(Fault::doc_signature_block, "more than one line begins with '{}'", key);
  }
  auto const block = document.substr(at);
  if (!block.starts_with(key_line)) {
    return fail(Fault::doc_signature_block, "the signature line is not exactly '{} |'", key);
  }
  if (block.size() > max_signature_block.value) {
    return fail(Fault::doc_signature_block, "the signature block is larger than {}", human(max_signature_block));
  }
  auto const base64 = base64_of(block.substr(key_line.size()));
  if (!base64) return fail(base64.error());
  auto signature = from_base64(*base64);
  if (!signature || signature->empty()) return fail(Fault::doc_signature_block, "the signature block is not base64");
  return Envelope{document.substr(0, at), std::move(*signature)};
}

Result<std::string> seal_envelope(std::string_view body, std::span<std::byte const> signature) {
  if (!body.ends_with('\n')) return fail(Fault::doc_signature_block, "the document to sign does not end in LF");
  if (find_key(body, 0) != body.size()) {
    return fail(Fault::doc_signature_block, "the document to sign has a line that begins with '{}' already", key);
  }
  std::string document{body};
  document += key_line;
  auto const base64 = to_base64(signature);
  for (std::size_t at = 0; at < base64.size(); at += columns) {
    document += fmt::format("  {}\n", std::string_view{base64}.substr(at, columns));
  }
  return document;
}

}  // namespace imageswarm::trust
