#include "tests/attacks/der.hpp"

#include <stdexcept>

namespace imageswarm::attacks {
namespace {

constexpr std::uint8_t constructed_bit = 0x20;

std::uint8_t take(std::string_view& bytes) {
  if (bytes.empty()) throw std::runtime_error{"the DER is cut off"};
  auto const first = static_cast<std::uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  return first;
}

Der take_element(std::string_view& bytes) {
  Der element{take(bytes), {}, {}};
  std::size_t length = take(bytes);
  if (length > 0x80) {
    auto octets = length & 0x7f;
    for (length = 0; octets > 0; --octets) length = length << 8 | take(bytes);
  }
  if (length > bytes.size()) throw std::runtime_error{"the DER is cut off"};
  auto content = bytes.substr(0, length);
  bytes.remove_prefix(length);
  if ((element.tag & constructed_bit) == 0) element.content = content;
  while ((element.tag & constructed_bit) != 0 && !content.empty()) element.parts.push_back(take_element(content));
  return element;
}

std::string octets_of(std::size_t length) {
  std::string octets;
  for (; length > 0; length >>= 8) octets.insert(octets.begin(), static_cast<char>(length & 0xff));
  return octets;
}

std::string length_of(std::size_t length, Der::Length form) {
  if (form == Der::Length::indefinite) return "\x80";
  if (form == Der::Length::shortest && length < 0x80) return {static_cast<char>(length)};
  auto octets = octets_of(length);
  if (form == Der::Length::padded) octets.insert(octets.begin(), '\0');
  return static_cast<char>(0x80 | octets.size()) + octets;
}

}  // namespace

Der Der::read(std::string_view bytes) {
  auto element = take_element(bytes);
  if (!bytes.empty()) throw std::runtime_error{"something follows the DER"};
  return element;
}

std::string Der::bytes() const {
  auto inner = content;
  for (auto const& part : parts) inner += part.bytes();
  auto whole = static_cast<char>(tag) + length_of(inner.size(), length) + inner;
  if (length == Length::indefinite) whole.append(2, '\0');
  return whole;
}

Der& Der::at(std::initializer_list<std::size_t> path) {
  auto* element = this;
  for (auto const index : path) element = &element->parts.at(index);
  return *element;
}

}  // namespace imageswarm::attacks
