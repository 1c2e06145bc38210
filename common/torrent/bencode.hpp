#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "common/document/model.hpp"

namespace imageswarm::torrent {

/// A bencoded value; texts and `raw` point into the bytes that were decoded.
struct Bencoded {
  using List = std::vector<Bencoded>;
  using Map = std::map<std::string_view, Bencoded>;

  std::string_view raw;  ///< the value as it stands in the file: what info-hashes are made of
  std::variant<std::int64_t, std::string_view, List, Map> value;

  Map const* map() const { return std::get_if<Map>(&value); }
  /// The member of a map, or null.
  Bencoded const* find(std::string_view key) const;
  std::string_view const* text(std::string_view key) const;
  std::int64_t const* integer(std::string_view key) const;
};

/// As many values as the torrent of one file may hold, with trackers and all; chunks have four more each.
inline constexpr std::size_t most_values_of_file = 1000;
inline constexpr std::size_t most_values_of_chunks = most_values_of_file + 4 * document::max_chunks;

/// Reads the one canonical form of BEP 3 and nothing else: keys sorted and unique, no leading zeros or "-0", nothing
/// behind the value; at most 8 levels and `most_values` values. libtorrent's decoder accepts more, and two readings of
/// one file are how gates are passed. Fault: torrent-syntax.
[[nodiscard]] Result<Bencoded> decode(std::string_view bytes, std::size_t most_values = most_values_of_file);

class AdmittedTorrent;
/// What points into `torrent`.
Bencoded decoded_of(AdmittedTorrent const& torrent);

/// The bencoded forms, to be put together in the order of their keys.
std::string encode(std::string_view text);
std::string encode(std::int64_t number);

}  // namespace imageswarm::torrent
