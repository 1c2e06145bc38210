#include "common/image/qcow2_disk.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/image/numbers.hpp"

namespace imageswarm::image {
namespace {

constexpr std::uint64_t offset_mask = 0x00fffffffffffe00, zeros = 1, packed = 1ull << 62;
constexpr std::uint64_t compression_type = 8;  // of the incompatible features
constexpr std::uint64_t sector = 512;

tl::unexpected<Error> bad_table(std::string_view what, std::uint64_t at) {
  return fail(Fault::image_table, "{} of the qcow2 cannot be at {}", what, at);
}

/// Without a header, and of at most 4 KiB of memory, as qemu packs.
bool inflate_all(std::span<std::byte> in, std::span<std::byte> out) {
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  constexpr int raw_window = -12;
  if (::inflateInit2(&stream, raw_window) != Z_OK) return false;
  int const result = ::inflate(&stream, Z_FINISH);
  ::inflateEnd(&stream);
  // What follows the stream in its last sector belongs to others.
  return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
}

bool unpack_zstd(std::span<std::byte const> in, std::span<std::byte> out) {
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ::ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> const stream{::ZSTD_createDStream()};
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (to.pos < to.size) {
    auto const before = from.pos + to.pos;
    if (::ZSTD_isError(::ZSTD_decompressStream(stream.get(), &to, &from)) || from.pos + to.pos == before) return false;
  }
  return true;
}

}  // namespace

Qcow2Disk::Qcow2Disk(std::span<std::byte const> head, Content& content) : content_{content} {
  BigEndian const in{head};
  version_ = in.u32(4);
  cluster_bits_ = in.u32(20);
  disk_size_ = in.u64(24);
  l1_offset_ = in.u64(40);
  is_zstd_ = version_ >= 3 && (in.u64(72) & compression_type) != 0;
}

/// `visit` gets the offset on the disk and the L2 entry of each cluster that is not zeros.
template <class Visit>
Result<> Qcow2Disk::each_cluster(Visit const& visit) {
  auto const cluster = std::uint64_t{1} << cluster_bits_;
  auto const table_reach = cluster * (cluster / 8);
  auto const tables = (disk_size_ - 1) / table_reach + 1;
  auto const l1 = read_part(content_, l1_offset_, tables * 8);
  if (!l1) return fail(l1.error());
  for (std::uint64_t i = 0; i < tables; ++i) {
    auto const at = BigEndian{*l1}.u64(i * 8) & offset_mask;
    if (at == 0) continue;
    if (at % cluster != 0 || at > content_.size().value || cluster > content_.size().value - at) {
      return bad_table("an L2 table", at);
    }
    auto const l2 = read_part(content_, at, cluster);
    if (!l2) return fail(l2.error());
    for (std::uint64_t j = 0; j < cluster / 8; ++j) {
      auto const offset = i * table_reach + j * cluster;
      if (offset >= disk_size_) return {};
      auto const entry = BigEndian{*l2}.u64(j * 8);
      if (!(entry & packed)) {
        auto const data = entry & offset_mask;
        if (data % cluster != 0 || (entry & zeros && version_ < 3)) return bad_table("a cluster", data);
        if (data == 0 || entry & zeros) continue;
      }
      if (auto const visited = visit(offset, entry); !visited) return visited;
    }
  }
  return {};
}

Result<ByteCount> Qcow2Disk::data() {
  ByteCount sum;
  auto const counted = each_cluster([&](std::uint64_t, std::uint64_t) -> Result<> {
    sum += ByteCount{std::uint64_t{1} << cluster_bits_};
    return {};
  });
  if (!counted) return fail(counted.error());
  return sum;
}

Result<> Qcow2Disk::read(Extents const& extents) {
  std::vector<std::byte> buffer(std::size_t{1} << cluster_bits_);
  return each_cluster([&](std::uint64_t offset, std::uint64_t entry) -> Result<> {
    auto const got = entry & packed ? read_packed(entry, buffer) : read_plain(entry & offset_mask, buffer);
    if (!got) return got;
    return extents(offset, std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), disk_size_ - offset)));
  });
}

/// What lies behind the end of the file is zeros, as for qemu: a last cluster need not be whole.
Result<> Qcow2Disk::read_plain(std::uint64_t at, std::span<std::byte> out) {
  auto const end = content_.size().value;
  auto const here = std::min<std::uint64_t>(out.size(), end - std::min(at, end));
  std::ranges::fill(out.subspan(here), std::byte{0});
  return content_.read(at, out.first(here));
}

Result<> Qcow2Disk::read_packed(std::uint64_t entry, std::span<std::byte> out) {
  auto const offset_bits = 62 - (cluster_bits_ - 8);
  auto const at = entry & ((std::uint64_t{1} << offset_bits) - 1);
  auto const sectors = ((entry & (packed - 1)) >> offset_bits) + 1;
  auto const end = content_.size().value;
  if (at >= end) return bad_table("a packed cluster", at);
  auto in = read_part(content_, at, std::min(sectors * sector - at % sector, end - at));
  if (!in) return fail(in.error());
  if (is_zstd_ ? unpack_zstd(*in, out) : inflate_all(*in, out)) return {};
  return fail(Fault::image_compression, "the packed cluster at {} of the qcow2 is damaged", at);
}

}  // namespace imageswarm::image
