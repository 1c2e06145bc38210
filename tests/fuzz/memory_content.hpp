#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "common/image/content.hpp"

namespace imageswarm::fuzz {

/// An image of as many KiB as the first two bytes of the input say, which begins with the rest of it; zeros follow.
class MemoryContent final : public image::Content {
public:
  explicit MemoryContent(std::string_view input)
      : Content{{std::max<std::uint64_t>(kibibytes(input) << 10,
                                         input.size() - std::min<std::size_t>(2, input.size()))}},
        begin_{input.substr(std::min<std::size_t>(2, input.size()))} {}

private:
  static std::uint64_t kibibytes(std::string_view input) {
    return input.size() < 2 ? 0
                            : static_cast<std::uint8_t>(input[0]) |
                                  static_cast<std::uint64_t>(static_cast<std::uint8_t>(input[1])) << 8;
  }
  Result<> read_inside(std::uint64_t offset, std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{});
    if (offset < begin_.size()) {
      std::memcpy(out.data(), begin_.data() + offset, std::min<std::size_t>(out.size(), begin_.size() - offset));
    }
    return {};
  }
  std::string_view begin_;
};

}  // namespace imageswarm::fuzz
