#include "common/image/tar.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/text.hpp"
#include "common/base/zeros.hpp"

namespace imageswarm::image {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t block = 512;
constexpr std::uint64_t largest_padding = 1u << 20;  // writers fill up a record, 10 KiB as a rule
constexpr std::size_t max_members = 64;

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(Fault::image_archive, "the archive {}", why);
}

/// Octal digits, blanks or zeros around them; or, when the first bit is set, a big-endian number.
std::optional<std::uint64_t> number(std::string_view field) {
  std::uint64_t value = 0;
  if (field.front() == '\x80') {
    for (auto const c : field.substr(1)) {
      if (value >> 55) return {};
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  field = field.substr(0, field.find('\0'));
  auto const digits = trimmed(field);
  if (digits.empty() || digits.find_first_not_of("01234567") != digits.npos) return {};
  for (auto const c : digits) value = value << 3 | static_cast<unsigned>(c - '0');
  return value;
}

bool is_plain_name(std::string_view name) {
  auto const plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           " ._+()-"sv.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.front() != '.' && name.front() != '-' && std::ranges::all_of(name, plain);
}

/// The scripts and files that a host adds to an appliance lie in these folders, and no others are known.
bool is_member_name(std::string_view name) {
  for (auto const folder : {"install/"sv, "config/"sv, "reset/"sv}) {
    if (name.starts_with(folder)) return is_plain_name(name.substr(folder.size()));
  }
  return is_plain_name(name);
}

std::string_view up_to_nul(std::string_view field) {
  return field.substr(0, field.find('\0'));
}

/// The sum of all bytes of the header, its own field counted as blanks.
bool sum_is_right(std::string_view header) {
  constexpr std::size_t sum_at = 148, sum_size = 8;
  std::uint64_t sum = sum_size * ' ';
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (i < sum_at || i >= sum_at + sum_size) sum += static_cast<unsigned char>(header[i]);
  }
  return number(header.substr(sum_at, sum_size)) == sum;
}

Result<Member> read_header(std::string_view header, std::uint64_t offset) {
  bool const posix = header.substr(257, 8) == "ustar\00000"sv, gnu = header.substr(257, 8) == "ustar  \0"sv;
  if ((!posix && !gnu) || !sum_is_right(header)) return refuse("has a damaged header");
  auto const name = up_to_nul(header.substr(0, 100));
  auto const kind = header[156];
  if (kind != '0' && kind != '\0') return refuse("holds something else than plain files, or extended headers");
  // The rest of a name, or times: the next reader may take the one for the other.
  if (header.substr(345).find_first_not_of('\0') != header.npos) return refuse("splits a name, or says more of a file");
  if (!up_to_nul(header.substr(157, 100)).empty()) return refuse("holds a link");
  if (!is_member_name(name)) return fail(Fault::image_archive, "the archive holds \"{}\"", printable(name));
  auto const size = number(header.substr(124, 12));
  if (!size) return refuse("has a damaged header");
  return Member{std::string{name}, offset + block, *size};
}

Result<> check_end(Content& content, std::uint64_t offset) {
  auto const rest = content.size().value - offset;
  if (rest < 2 * block || rest > largest_padding) return refuse("does not end where it says");
  auto const padding = read_part(content, offset, rest);
  if (!padding) return fail(padding.error());
  if (!all_zeros(*padding)) return refuse("goes on after its end");
  return {};
}

}  // namespace

Result<std::vector<Member>> read_tar(Content& content) {
  std::vector<Member> members;
  for (std::uint64_t offset = 0;;) {
    auto const bytes = read_part(content, offset, block);
    if (!bytes) return fail(bytes.error());
    if (all_zeros(*bytes)) {
      if (auto const fine = check_end(content, offset); !fine) return fail(fine.error());
      return members;
    }
    auto member = read_header({reinterpret_cast<char const*>(bytes->data()), bytes->size()}, offset);
    if (!member) return fail(member.error());
    if (member->size > content.size().value - member->offset) {
      return fail(Fault::image_truncated, "the archive ends within {}", member->name);
    }
    auto const same = [&](Member const& other) { return lower_case(other.name) == lower_case(member->name); };
    if (std::ranges::any_of(members, same)) {
      return fail(Fault::image_archive, "the archive holds {} twice", member->name);
    }
    if (members.size() == max_members) return refuse("holds too many files");
    offset = member->offset + (member->size + block - 1) / block * block;
    members.push_back(std::move(*member));
  }
}

}  // namespace imageswarm::image
