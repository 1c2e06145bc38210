#include "daemon/control/ctl/screen.hpp"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::ctl {
namespace {

/// Takes one character from the front of well-formed UTF-8.
std::string_view take_character(std::string_view& text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) ++length;
  auto const character = text.substr(0, length);
  text.remove_prefix(length);
  return character;
}

unsigned width_of(std::string_view character) {
  auto const first = static_cast<unsigned char>(character.front());
  if (first < 0x80) return 1;
  auto const lead = character.size() == 2 ? 0x1Fu : character.size() == 3 ? 0x0Fu : 0x07u;
  std::uint32_t code = first & lead;
  for (char byte : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  auto const width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<unsigned>(width);
}

bool set_in_environment(char const* name) {
  auto const* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

Screen screen_of(int descriptor) {
  Screen screen;
  screen.utf8 = std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
  if (::isatty(descriptor) == 0) return screen;
  winsize size{};
  bool const known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  screen.width = known ? size.ws_col : 80;
  screen.height = known ? size.ws_row : 0;
  auto const* terminal = std::getenv("TERM");
  bool const dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
  screen.colour = !dumb && !set_in_environment("NO_COLOR");
  return screen;
}

unsigned columns_of(std::string_view text) {
  unsigned columns = 0;
  while (!text.empty()) columns += width_of(take_character(text));
  return columns;
}

std::string safe(std::string_view text, Screen const& screen) {
  auto const clean = printable(text, 4000);
  if (screen.utf8) return clean;
  std::string ascii;
  for (std::string_view rest = clean; !rest.empty();) {
    auto const character = take_character(rest);
    ascii += character.size() == 1 ? character : character == "…" ? "..." : "?";
  }
  return ascii;
}

std::string cut(std::string_view text, unsigned width, Screen const& screen) {
  if (width == 0 || columns_of(text) <= width) return std::string{text};
  std::string_view const ellipsis = screen.utf8 ? "…" : "~";
  std::string kept;
  for (unsigned columns = 1;;) {
    auto const character = take_character(text);
    columns += width_of(character);
    if (columns > width) return kept.append(ellipsis);
    kept += character;
  }
}

std::string wrapped(std::string_view text, unsigned indent, Screen const& screen) {
  std::string lines;
  unsigned column = 0;
  bool first = true;
  for (auto const word : split(text, ' ')) {
    auto const width = columns_of(word);
    if (column > indent && screen.width > 0 && column + 1 + width > screen.width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      lines += ' ';
      ++column;
    }
    first = false;
    lines += word;
    column += width;
  }
  return lines;
}

std::string coloured(std::string_view text, Colour colour, Screen const& screen) {
  static constexpr std::array codes{"", "1", "32", "36", "31"};  // SGR, in the order of Colour
  if (!screen.colour || colour == Colour::plain || text.empty()) return std::string{text};
  return fmt::format("\033[{}m{}\033[0m", codes.at(static_cast<std::size_t>(colour)), text);
}

std::string bar(double share, unsigned width, Screen const& screen) {
  share = std::clamp(share, 0.0, 1.0);
  std::string text;
  if (!screen.utf8) {
    auto const filled = static_cast<std::size_t>(share * (width - 2));
    return text.append("[").append(filled, '#').append(width - 2 - filled, '-').append("]");
  }
  static constexpr std::array eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  auto const filled = static_cast<unsigned>(share * width * 8);
  for (unsigned i = 0; i < filled / 8; ++i) text += "█";
  text += eighths.at(filled % 8);
  for (auto columns = (filled + 7) / 8; columns < width; ++columns) text += "░";
  return text;
}

}  // namespace imageswarm::ctl
