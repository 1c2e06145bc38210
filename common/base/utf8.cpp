#include "common/base/utf8.hpp"

#include <algorithm>
#include <array>

namespace imageswarm {
namespace {

struct Range {
  char32_t first, last;
};

/// C0, C1, the separators of lines and the marks of annotations; the rest is Default_Ignorable_Code_Point of
/// Unicode 15.
constexpr std::array hidden{
    Range{0x0, 0x1F},        Range{0x7F, 0x9F},       Range{0xAD, 0xAD},       Range{0x34F, 0x34F},
    Range{0x61C, 0x61C},     Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},
    Range{0x200B, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x206F},   Range{0x3164, 0x3164},
    Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},
    Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF},
};

char32_t code_point(std::string_view character) {
  // The first byte has as many ones in front as there are bytes.
  auto const first = static_cast<unsigned char>(character.front());
  char32_t value = character.size() == 1 ? first : first & (0x7Fu >> character.size());
  for (auto const c : character.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return value;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  auto const at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto const tail = [&](std::size_t i) { return at(i) >= 0x80 && at(i) <= 0xBF; };
  auto const first = at(0), second = at(1);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    auto const low = first == 0xE0 ? 0xA0u : 0x80u, high = first == 0xED ? 0x9Fu : 0xBFu;
    return second >= low && second <= high && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    auto const low = first == 0xF0 ? 0x90u : 0x80u, high = first == 0xF4 ? 0x8Fu : 0xBFu;
    return second >= low && second <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_hidden(std::string_view character) {
  auto const point = code_point(character);
  return std::ranges::any_of(hidden, [&](Range range) { return point >= range.first && point <= range.last; });
}

}  // namespace imageswarm
