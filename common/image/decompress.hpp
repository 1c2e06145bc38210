#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/image/protocol.hpp"

namespace imageswarm::image {

/// Reads a file front to back with pread, with a look ahead.
class Input {
public:
  Input(int fd, ByteCount size) : fd_{fd}, left_{size.value}, buffer_(piece_size) {}

  /// What is next: at least `least` bytes of it (less than a buffer), or all when the file ends before; empty at the
  /// end. Valid until the next call. Faults: image-truncated (the file became shorter), disk-error.
  [[nodiscard]] Result<std::span<std::byte const>> peek(std::size_t least);
  void consume(std::size_t count) { begin_ += count; }

private:
  int fd_;
  std::uint64_t offset_ = 0;
  std::uint64_t left_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

/// Unpacks one compressed stream, strictly: the stream is complete, its checksum is right and nothing follows it
/// (zstd: frames may follow one another, but nothing else; gzip, xz and bzip2: exactly one member or stream). Takes
/// 128 MiB of memory at most.
class Decoder {
public:
  virtual ~Decoder() = default;
  /// Fills `out`; less than its size only at the end of the stream, 0 after it.
  /// Faults: image-truncated, image-compression, image-trailing-data, and those of the input.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

/// `input` outlives the decoder; `format` is not `none`.
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_decoder(document::Compression format, Input& input);

}  // namespace imageswarm::image
