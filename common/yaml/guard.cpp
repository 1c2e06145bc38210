#include "common/yaml/guard.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace imageswarm::yaml {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// C0 controls but LF, DEL, and the C1 controls, which UTF-8 writes as C2 80 to C2 9F.
bool is_control(std::string_view text, std::size_t at) {
  auto const byte = static_cast<unsigned char>(text[at]);
  if (byte == 0xC2) return at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
  return (byte < 0x20 && byte != '\n') || byte == 0x7F;
}

Result<> guard_line(std::string_view line, std::size_t number) {
  if (!is_utf8(line)) return fail(Fault::yaml_encoding, "line {}: it is not UTF-8", number);
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (!is_control(line, at)) continue;
    auto const name = line[at] == '\t' ? "a tab" : line[at] == '\r' ? "a carriage return" : "a control character";
    return fail(Fault::yaml_encoding, "line {}: {} is not allowed; write UTF-8 with LF line ends and blanks", number,
                name);
  }
  return {};
}

/// Is `line` the marker `---` or `...`, alone or followed by a blank?
bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == marker.size() || line[marker.size()] == ' ');
}

}  // namespace

Result<> guard(std::string_view bytes, Limits const& limits) {
  if (bytes.size() > limits.size.value) {
    return fail(Fault::too_large, "the document has {} bytes; at most {} are read", bytes.size(), limits.size.value);
  }
  if (bytes.starts_with(byte_order_mark)) return fail(Fault::yaml_encoding, "line 1: a byte order mark is not allowed");
  bool begun = false;
  for (std::size_t number = 1; !bytes.empty(); ++number) {
    auto const line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
    if (auto fine = guard_line(line, number); !fine) return fine;
    // No content can stand in column 0 like this: everything is inside a map, so indented further.
    if (line.starts_with('%')) return fail(Fault::yaml_directive, "line {}: directives are not allowed", number);
    if (is_marker(line, "...") || (is_marker(line, "---") && begun)) {
      return fail(Fault::yaml_second_document, "line {}: '{}' ends the document; there must be only one", number,
                  line.substr(0, 3));
    }
    auto const content = trimmed(line);
    begun = begun || (!content.empty() && !content.starts_with('#'));
  }
  return {};
}

}  // namespace imageswarm::yaml
