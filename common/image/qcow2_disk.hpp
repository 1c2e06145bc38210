#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/image/content.hpp"

namespace imageswarm::image {

/// The disk that a guest sees of a qcow2 (qemu's docs/interop/qcow2.txt), for one whose header `check_qcow2` has found
/// sound. Takes the memory of its L1 table, and of one L2 table and two clusters: at most 38 MiB.
class Qcow2Disk {
public:
  /// Takes bytes of the disk, in ascending order; what is left out is zeros.
  using Extents = std::function<Result<>(std::uint64_t offset, std::span<std::byte const> data)>;

  /// `head` and `content` outlive it.
  Qcow2Disk(std::span<std::byte const> head, Content& content);

  /// How much of the disk is not known to be zeros. Faults: image-table, image-truncated.
  [[nodiscard]] Result<ByteCount> data();
  /// Reads that much. Further faults: image-compression, and those of `extents`.
  [[nodiscard]] Result<> read(Extents const& extents);

private:
  template <class Visit>
  Result<> each_cluster(Visit const& visit);
  Result<> read_plain(std::uint64_t at, std::span<std::byte> out);
  Result<> read_packed(std::uint64_t entry, std::span<std::byte> out);

  Content& content_;
  std::uint64_t disk_size_, l1_offset_;
  std::uint32_t version_, cluster_bits_;
  bool is_zstd_;
};

}  // namespace imageswarm::image
