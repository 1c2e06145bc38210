#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"

namespace imageswarm::flow {

/// The files of the layout `chunks` as one row of bytes. Holds their directory open, and the files one at a time, since
/// there may be thousands: each is opened below that directory, by its number, and never through a link.
///
/// So what is read later need not be what was hashed before, if somebody may write in the store. Nothing may rely on
/// that: what sinks get is hashed again as it is unpacked.
class ChunkFiles {
public:
  /// All of them, each once, have as many bytes as there are now. Faults: not-found, disk faults.
  [[nodiscard]] static Result<ChunkFiles> open(std::filesystem::path const& directory, document::Chunks const& chunks);

  ByteCount size() const { return {ends_.empty() ? 0 : ends_.back()}; }
  /// Gives all bytes to `take`, in order. Faults: disk faults, cancelled.
  [[nodiscard]] Result<> read_all(std::function<void(std::span<std::byte const>)> const& take,
                                  std::stop_token const& stop) const;

  /// Reads ranges, keeping the file of the last one open. For one thread; must not outlive the files.
  class Reader {
  public:
    explicit Reader(ChunkFiles const& files) : files_{&files} {}
    /// Fills `out`, over the ends of files. Faults: disk faults.
    [[nodiscard]] Result<> read(std::uint64_t offset, std::span<std::byte> out);

  private:
    ChunkFiles const* files_;
    std::size_t index_ = SIZE_MAX;  ///< of the file that is open
    UniqueFd file_;
  };

private:
  ChunkFiles(UniqueFd directory, std::filesystem::path path)
      : directory_{std::move(directory)}, path_{std::move(path)} {}
  Result<UniqueFd> open_chunk(std::size_t index) const;

  UniqueFd directory_;
  std::filesystem::path path_;       ///< for people
  std::vector<std::uint64_t> ends_;  ///< offsets behind each file
};

}  // namespace imageswarm::flow
