#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imageswarm {

/// Lower case.
std::string to_hex(std::span<std::byte const> bytes);
/// Nothing unless `text` is an even number of lower-case hex digits.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

/// RFC 4648 base64 with padding, one line.
std::string to_base64(std::span<std::byte const> bytes);
/// Strict: no blanks, right padding, no stray bits. Nothing otherwise.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

/// Text from outside, safe to log or to show on a terminal: control characters and invalid UTF-8 become \xNN,
/// and what is longer than `most` bytes is cut and ends in "…".
std::string printable(std::string_view text, std::size_t most = 200);

/// Is `text` well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)?
bool is_utf8(std::string_view text);

/// Does `text` match `pattern`, in which `*` stands for any run of characters and `?` for one? Case counts.
bool matches_glob(std::string_view pattern, std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);
std::string join(std::span<std::string const> parts, std::string_view separator);

}  // namespace imageswarm
