#include <algorithm>

#include "common/base/text.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::yaml {
namespace {

bool is_printable_ascii(char c) {
  return c >= 0x20 && c < 0x7F;
}

/// May `text` stand without quotes and come back the same? A narrow rule: printable ASCII that means nothing to YAML.
bool is_plain(std::string_view text) {
  static constexpr std::string_view special = "-?:,[]{}#&*!|>'\"%@`~<=. ";
  if (text.empty() || special.find(text.front()) != special.npos || text.ends_with(' ') || text.ends_with(':'))
    return false;
  if (text.find(": ") != text.npos || text.find(" #") != text.npos) return false;
  return std::ranges::all_of(text, is_printable_ascii);
}

/// Letters beyond ASCII stand as they are. Controls, which the reader refuses as bytes, are escaped;
/// bytes that are no UTF-8 cannot be said in YAML and become the character of that number.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length <= text.size() && !is_utf8(text.substr(at, length))) ++length;
    auto const symbol = text.substr(at, length);
    auto const first = static_cast<unsigned char>(symbol.front());
    bool const whole = is_utf8(symbol) && symbol.size() == length;
    bool const c1_control = whole && first == 0xC2 && static_cast<unsigned char>(symbol[1]) < 0xA0;
    if (symbol == "\n") {
      result += "\\n";
    } else if (symbol == "\"" || symbol == "\\") {
      (result += '\\') += symbol;
    } else if (c1_control) {
      result += fmt::format("\\x{:02X}", static_cast<unsigned char>(symbol[1]));
    } else if (!whole || first < 0x20 || first == 0x7F) {
      result += fmt::format("\\x{:02X}", first);
      length = 1;
    } else {
      result += symbol;
    }
    at += length;
  }
  return result + '"';
}

std::string scalar(std::string_view text) {
  return is_plain(text) ? std::string{text} : quoted(text);
}

void write_map(std::string& out, Value::Map const& map, std::size_t indent, bool first_indented);

/// What stands behind "key:" or "-": on the same line, or as a block below it.
void write_node(std::string& out, Value const& value, std::size_t indent) {
  if (value.is_text()) {
    ((out += ' ') += scalar(value.text())) += '\n';
  } else if (value.is_map()) {
    if (value.map().empty()) {
      out += " {}\n";
      return;
    }
    out += '\n';
    write_map(out, value.map(), indent, true);
  } else {
    out += value.list().empty() ? " []\n" : "\n";
    for (auto const& item : value.list()) {
      out.append(indent, ' ') += '-';
      if (item.is_map() && !item.map().empty()) {
        out += ' ';
        write_map(out, item.map(), indent + 2, false);
      } else {
        write_node(out, item, indent + 2);
      }
    }
  }
}

void write_map(std::string& out, Value::Map const& map, std::size_t indent, bool first_indented) {
  for (auto const& member : map) {
    if (first_indented || &member != &map.front()) out.append(indent, ' ');
    (out += scalar(member.key)) += ':';
    write_node(out, member.value, indent + 2);
  }
}

}  // namespace

std::string write(Value const& map) {
  if (map.map().empty()) return "{}\n";
  std::string out;
  write_map(out, map.map(), 0, true);
  return out;
}

}  // namespace imageswarm::yaml
