#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/units.hpp"

namespace imageswarm::exchange {

/// What names a document among neighbours: SHA-256 over its kind and its source's URL. Whoever does not know the URL
/// does not learn it.
using Topic = Sha256;

/// What somebody says to hold of one document. Nothing of it is believed before the bytes are here and verified.
struct Claim {
  Topic topic;
  std::uint64_t epoch = 0;
  std::uint64_t serial = 0;
  Sha256 digest;  ///< of the whole document
  ByteCount size;
  bool operator==(Claim const&) const = default;
};

// The four messages (docs/formats.md, "Between hosts"). A file is a document or a torrent file, named by its SHA-256.

/// All documents that the sender holds, in the place of what it said before.
struct Claims {
  std::vector<Claim> documents;
};
/// Asks for the block of a file that begins at `offset`.
struct Request {
  Sha256 file;
  std::uint64_t offset = 0;
};
struct Block {
  Sha256 file;
  std::uint64_t offset = 0;
  std::string_view bytes;  ///< points into what was decoded
};
/// The sender does not have the file that was asked for.
struct Lack {
  Sha256 file;
};
using Message = std::variant<Claims, Request, Block, Lack>;

inline constexpr ByteCount block_size = 16_KiB;
/// Most documents that one host speaks of.
inline constexpr std::size_t max_claims = 1024;
/// Longest message, in bytes: all claims, at 84 bytes each.
inline constexpr std::size_t max_message = 1 + max_claims * 84;

std::string encode(Message const& message);
/// Nothing for what is not exactly one message. Thread-safe.
std::optional<Message> decode(std::string_view bytes);

}  // namespace imageswarm::exchange
