#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/base/file.hpp"
#include "common/image/compress.hpp"
#include "common/image/content.hpp"
#include "common/image/inspect.hpp"
#include "tests/support/disks.hpp"

namespace imageswarm::image::test {

inline std::span<std::byte const> bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// Content in memory; what is said to lie beyond it reads as zeros.
class MemoryContent final : public image::Content {
public:
  explicit MemoryContent(std::string content) : MemoryContent{content, {content.size()}} {}
  MemoryContent(std::string content, ByteCount size) : Content{size}, content_{std::move(content)} {}

private:
  Result<> read_inside(std::uint64_t offset, std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{});
    if (offset < content_.size())
      std::ranges::copy(bytes(content_).subspan(offset).first(std::min(out.size(), content_.size() - offset)),
                        out.begin());
    return {};
  }
  std::string content_;
};

/// An open file with this content and no name.
inline UniqueFd file_of(std::string_view content) {
  UniqueFd fd{::memfd_create("image", MFD_CLOEXEC)};
  if (!write_all(fd.get(), bytes(content), "a file in memory")) return UniqueFd{};
  return fd;
}

/// A raw disk, no two sectors of which are alike.
inline std::string raw_disk(std::size_t size) {
  std::string disk(size, '\0');
  for (std::size_t at = 0; at < size; at += 512) {
    auto const text = std::to_string((at + 1) * 0x9e3779b97f4a7c15u);
    disk.replace(at, std::min(text.size(), size - at), text, 0, std::min(text.size(), size - at));
  }
  return disk;
}

/// A raw disk that cannot be compressed much.
inline std::string noise(std::size_t size) {
  std::string disk(size, '\0');
  for (std::uint64_t state = 1; auto& byte : disk) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return disk;
}

inline std::string compressed(document::Compression format, std::string_view content) {
  std::string result;
  Compressor compressor{format, [&result](std::span<std::byte const> data) -> Result<> {
                          result.append(reinterpret_cast<char const*>(data.data()), data.size());
                          return {};
                        }};
  if (!compressor.update(bytes(content)) || !compressor.finish()) return "the compressor failed";
  return result;
}

/// The fault's word, "" if there is none: what tables of attacks compare.
template <class T>
std::string word_of(Result<T> const& result) {
  return result ? std::string{} : std::string{word(result.error().fault)};
}

/// What `unpack` delivers to a sink in memory.
struct Unpacked {
  Result<Inspection> result;
  std::string content;
};

inline Unpacked unpack_all(std::string_view artefact, document::Compression compression, std::uint64_t content_size,
                           std::string format = "raw", std::string container = "bare") {
  std::string content;
  auto const sink = [&content](std::span<std::byte const> data) -> Result<> {
    content.append(reinterpret_cast<char const*>(data.data()), data.size());
    return {};
  };
  auto result = unpack(file_of(artefact), {compression, {content_size}, std::move(format), std::move(container)}, sink,
                       std::stop_token{});
  return {std::move(result), std::move(content)};
}

}  // namespace imageswarm::image::test
