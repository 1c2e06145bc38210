#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/document/model.hpp"

namespace imageswarm::image {

/// Compresses a stream for the endorser, with as many threads as there are cores where the format knows how
/// (zstd, xz). `none` passes through. Not thread-safe.
class Compressor {
public:
  using Output = std::function<Result<>(std::span<std::byte const>)>;

  Compressor(document::Compression format, Output output);
  ~Compressor();

  [[nodiscard]] Result<> update(std::span<std::byte const> data);
  [[nodiscard]] Result<> finish();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One zstd frame that says its size and has a checksum. The same content gives the same bytes in every call, whatever
/// the machine, as long as libzstd stays the same: that is how an unchanged chunk is known again.
[[nodiscard]] Result<std::vector<std::byte>> pack_chunk(std::span<std::byte const> content);

/// The usual ending of a file in this compression: "", ".gz", ".xz", ".zst", ".bz2".
std::string_view extension_of(document::Compression format);

}  // namespace imageswarm::image
