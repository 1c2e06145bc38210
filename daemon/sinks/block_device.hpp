#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::sinks {

/// What a machine boots from, or an LVM volume or file system is known by, lies within so much of both ends.
inline constexpr ByteCount device_end = 1_MiB;

/// A block device that is open. All calls block; fault disk-error unless they say more.
class BlockDevice {
public:
  /// Alone: nobody has it mounted or built upon, or locked as virtual machines do; until this is closed none can.
  /// Faults: not-found, permission, exists (somebody uses it).
  [[nodiscard]] static Result<BlockDevice> open_alone(std::filesystem::path const& path);
  /// Faults: not-found, permission, exists (it is no block device).
  [[nodiscard]] static Result<BlockDevice> open_to_read(std::filesystem::path const& path);

  ByteCount size() const { return size_; }
  UniqueFd const& fd() const { return fd_; }

  [[nodiscard]] Result<> read(std::uint64_t offset, std::span<std::byte> out) const;
  [[nodiscard]] Result<> write(std::uint64_t offset, std::span<std::byte const> data) const;
  /// Writes zeros only where there are none.
  [[nodiscard]] Result<> clear(std::uint64_t offset, ByteCount length) const;
  /// Lets the device forget its content, if it can; what is there then is not known.
  void discard() const;
  /// What was written is on the device, and it is the device that the next read asks.
  [[nodiscard]] Result<> settle() const;
  /// Its first MiB, or all of it.
  [[nodiscard]] Result<std::vector<std::byte>> head() const;
  /// Are both ends zeros?
  [[nodiscard]] Result<bool> is_blank() const;

private:
  BlockDevice(UniqueFd fd, std::filesystem::path path, ByteCount size)
      : fd_{std::move(fd)}, path_{std::move(path)}, size_{size} {}
  [[nodiscard]] static Result<BlockDevice> open(std::filesystem::path const& path, int flags);

  UniqueFd fd_;
  std::filesystem::path path_;
  ByteCount size_;
};

}  // namespace imageswarm::sinks
