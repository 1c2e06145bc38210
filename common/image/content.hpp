#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/image/decompress.hpp"

namespace imageswarm::image {

/// The bytes of an image as its judges see them: all of them, in any order.
class Content {
public:
  explicit Content(ByteCount size) : size_{size} {}
  virtual ~Content() = default;
  Content(Content const&) = delete;
  Content& operator=(Content const&) = delete;

  ByteCount size() const { return size_; }
  /// Fills `out` from `offset` on. Faults: image-truncated (it ends before), those of where it comes from.
  [[nodiscard]] Result<> read(std::uint64_t offset, std::span<std::byte> out);

private:
  /// The range lies inside.
  virtual Result<> read_inside(std::uint64_t offset, std::span<std::byte> out) = 0;
  ByteCount size_;
};

/// `read` into memory of its own; the caller has bounded `size`.
[[nodiscard]] Result<std::vector<std::byte>> read_part(Content& content, std::uint64_t offset, std::uint64_t size);

/// Gives the bytes of a range to `take`, in order and in pieces. Faults: those of reading, those of `take`.
[[nodiscard]] Result<> read_through(Content& content, std::uint64_t offset, std::uint64_t size,
                                    std::function<Result<>(std::span<std::byte const>)> const& take);

/// Content that is not packed.
class FileContent final : public Content {
public:
  FileContent(int fd, ByteCount size) : Content{size}, fd_{fd} {}

private:
  Result<> read_inside(std::uint64_t offset, std::span<std::byte> out) override;
  int fd_;
};

/// Content that is unpacked as it is read. Going back means unpacking from the beginning again, so read forwards where
/// possible: there is a limit (image-compression). What reaches the end also sees that there is nothing more. Further
/// faults: those of Decoder, bomb.
class UnpackedContent final : public Content {
public:
  UnpackedContent(int fd, ByteCount artefact, document::Compression compression, ByteCount promised)
      : Content{promised}, fd_{fd}, artefact_{artefact}, compression_{compression} {}

private:
  Result<> read_inside(std::uint64_t offset, std::span<std::byte> out) override;
  Result<> begin();
  Result<> take(std::span<std::byte> out);

  int fd_;
  ByteCount artefact_;
  document::Compression compression_;
  std::optional<Input> input_;
  std::unique_ptr<Decoder> decoder_;
  std::uint64_t position_ = 0;
  int beginnings_ = 0;
};

}  // namespace imageswarm::image
