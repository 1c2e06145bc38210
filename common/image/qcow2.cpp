#include "common/image/qcow2.hpp"

#include <algorithm>
#include <cstdint>

#include "common/image/formats.hpp"
#include "common/image/numbers.hpp"

namespace imageswarm::image {
namespace {

constexpr std::size_t header_size_v2 = 72;
constexpr std::size_t header_size_v3 = 104;
constexpr std::size_t header_size_with_compression_type = 112;

// What qemu itself allocates at most for each table.
constexpr std::uint64_t max_l1_table = 32u << 20;
constexpr std::uint64_t max_refcount_table = 8u << 20;

enum Incompatible : std::uint64_t { dirty = 1, corrupt = 2, data_file = 4, compression_type = 8, extended_l2 = 16 };
enum Autoclear : std::uint64_t { bitmaps_in_order = 1, raw_data_file = 2 };

enum Extension : std::uint32_t {
  ends = 0,
  bitmaps = 0x23852875,
  encryption = 0x0537be77,
  data_file_name = 0x44415441,
};

struct Header {
  std::uint32_t version, cluster_bits, crypt_method, l1_entries, refcount_clusters, snapshots;
  std::uint64_t backing_file_offset, virtual_size, l1_offset, refcount_offset;
  // Of version 3; these are what version 2 means.
  std::uint64_t incompatible = 0, autoclear = 0;
  std::uint32_t refcount_order = 4, length = header_size_v2;
  std::uint8_t compression = 0;

  std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
};

tl::unexpected<Error> cut_off() {
  return fail(Fault::image_truncated, "the image ends within its qcow2 header");
}

Result<Header> read_header(BigEndian const& in) {
  if (in.bytes.size() < header_size_v2) return cut_off();
  Header header{.version = in.u32(4),
                .cluster_bits = in.u32(20),
                .crypt_method = in.u32(32),
                .l1_entries = in.u32(36),
                .refcount_clusters = in.u32(56),
                .snapshots = in.u32(60),
                .backing_file_offset = in.u64(8),
                .virtual_size = in.u64(24),
                .l1_offset = in.u64(40),
                .refcount_offset = in.u64(48)};
  if (header.version == 2) return header;
  if (header.version != 3) return fail(Fault::image_header, "qcow2 version {} is not known", header.version);
  if (in.bytes.size() < header_size_v3) return cut_off();
  header.incompatible = in.u64(72);
  header.autoclear = in.u64(88);
  header.refcount_order = in.u32(96);
  header.length = in.u32(100);
  if (header.length != header_size_v3 && header.length != header_size_with_compression_type) {
    return fail(Fault::image_header, "a qcow2 header of {} bytes is not known", header.length);
  }
  if (in.bytes.size() < header.length) return cut_off();
  if (header.length == header_size_with_compression_type) {
    header.compression = std::to_integer<std::uint8_t>(in.bytes[104]);
  }
  return header;
}

Result<> check_features(Header const& header) {
  if (header.incompatible & data_file || header.autoclear & raw_data_file) {
    return fail(Fault::image_data_file, "the image keeps its data in another file");
  }
  if (header.incompatible & corrupt) return fail(Fault::image_corrupt, "the image is marked as corrupt");
  // Its reference counts may be wrong, and a program that opens it for writing repairs it at once: the bytes that
  // were signed would not be those that are used.
  if (header.incompatible & dirty) {
    return fail(Fault::image_corrupt, "the image was not closed properly; repair it with qemu-img check -r all");
  }
  // Glance's inspector counts this bit as unknown, so it would refuse the upload.
  if (header.incompatible & extended_l2) {
    return fail(Fault::image_feature, "the image uses extended L2 entries, which Glance refuses; convert it without");
  }
  if (auto const unknown = header.incompatible & ~std::uint64_t{compression_type}) {
    return fail(Fault::image_feature, "the image needs unknown features ({:#x})", unknown);
  }
  // 0 is deflate and has no bit; 1 is zstd and must have it.
  if (header.compression != (header.incompatible & compression_type ? 1 : 0)) {
    return fail(Fault::image_feature, "the image has the unknown compression type {}", header.compression);
  }
  return {};
}

Result<> check_table(std::string_view name, std::uint64_t offset, std::uint64_t size, std::uint64_t most,
                     Header const& header, ByteCount total) {
  if (size > most) return fail(Fault::image_table, "the {} table is {} bytes, more than qemu reads", name, size);
  if (offset < header.cluster_size() || offset % header.cluster_size() != 0) {
    return fail(Fault::image_table, "the {} table cannot be at {}", name, offset);
  }
  if (offset > total.value || size > total.value - offset) {
    return fail(Fault::image_table, "the {} table lies outside the image of {} bytes", name, total.value);
  }
  return {};
}

Result<> check_tables(Header const& header, ByteCount total) {
  if (header.refcount_order > 6) return fail(Fault::image_header, "refcount order {}", header.refcount_order);
  auto const per_l1_entry = header.cluster_size() * (header.cluster_size() / 8);
  auto const needed = header.virtual_size / per_l1_entry + (header.virtual_size % per_l1_entry != 0);
  if (header.l1_entries < needed) {
    return fail(Fault::image_table, "the L1 table has {} entries, the disk needs {}", header.l1_entries, needed);
  }
  if (header.refcount_clusters == 0) return fail(Fault::image_table, "the image has no refcount table");
  auto const l1_size = std::uint64_t{header.l1_entries} * 8;
  auto const l1 = check_table("L1", header.l1_offset, l1_size, max_l1_table, header, total);
  if (!l1) return l1;
  auto const refcount_size = header.refcount_clusters * header.cluster_size();
  auto const refcounts =
      check_table("refcount", header.refcount_offset, refcount_size, max_refcount_table, header, total);
  if (!refcounts) return refcounts;
  if (header.l1_offset < header.refcount_offset + refcount_size &&
      header.refcount_offset < header.l1_offset + l1_size) {
    return fail(Fault::image_table, "the L1 and the refcount table overlap");
  }
  return {};
}

Result<> check_bitmaps(BigEndian const& extension, std::size_t length, Header const& header, ByteCount total) {
  if (length < 24) return fail(Fault::image_header, "the bitmaps extension is too short");
  return check_table("bitmap", extension.u64(16), extension.u64(8), max_refcount_table, header, total);
}

/// The list of (type, length, data padded to 8) between the header and the end of the first cluster.
Result<> check_extensions(BigEndian const& cluster, Header const& header, ByteCount total) {
  std::size_t at = header.length;
  for (;;) {
    if (at == header.cluster_size()) return {};
    if (at + 8 > cluster.bytes.size()) return cut_off();
    auto const type = cluster.u32(at);
    std::size_t const length = cluster.u32(at + 4);
    at += 8;
    if (type == ends) return {};
    if (length > header.cluster_size() - at) return fail(Fault::image_header, "a header extension does not fit");
    if (length > cluster.bytes.size() - at) return cut_off();
    if (type == data_file_name) return fail(Fault::image_data_file, "the image names a file with its data");
    if (type == encryption) return fail(Fault::image_encrypted, "the image has an encryption header");
    if (type == bitmaps && header.autoclear & bitmaps_in_order) {
      auto const fine = check_bitmaps({cluster.bytes.subspan(at, length)}, length, header, total);
      if (!fine) return fine;
    }
    // Everything else, known (feature names, the format of a backing file that is not there) or not, is harmless: an
    // extension that matters comes with a bit in the incompatible features.
    at += (length + 7) / 8 * 8;
  }
}

}  // namespace

bool is_qcow2(std::string_view head) {
  using namespace std::string_view_literals;
  return head.starts_with("QFI\xfb") && head.substr(4, 4) != "\0\0\0\1"sv;
}

Result<ByteCount> check_qcow2(std::span<std::byte const> head, ByteCount total) {
  auto const header = read_header({head});
  if (!header) return fail(header.error());
  if (header->cluster_bits < 9 || header->cluster_bits > 21) {
    return fail(Fault::image_cluster_size, "clusters of 2^{} bytes", header->cluster_bits);
  }
  if (header->backing_file_offset != 0) {
    return fail(Fault::image_backing_file, "the image has a backing file; publish the result of qemu-img convert");
  }
  if (auto const fine = check_features(*header); !fine) return fail(fine.error());
  if (header->crypt_method != 0) return fail(Fault::image_encrypted, "the image is encrypted");
  if (header->snapshots != 0) {
    return fail(Fault::image_snapshot, "the image has {} internal snapshots", header->snapshots);
  }
  if (auto const fine = check_virtual_size({header->virtual_size}); !fine) return fail(fine.error());
  if (auto const fine = check_tables(*header, total); !fine) return fail(fine.error());
  auto const cluster = head.first(std::min<std::uint64_t>(head.size(), header->cluster_size()));
  if (auto const fine = check_extensions({cluster}, *header, total); !fine) return fail(fine.error());
  return ByteCount{header->virtual_size};
}

}  // namespace imageswarm::image
