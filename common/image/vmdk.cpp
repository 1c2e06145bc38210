#include "common/image/vmdk.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "common/base/text.hpp"
#include "common/image/formats.hpp"
#include "common/image/numbers.hpp"
#include "common/image/vmdk_descriptor.hpp"

namespace imageswarm::image {
namespace {

// Everything in the format is counted in sectors.
constexpr std::uint64_t sector = 512;
constexpr std::uint64_t directory_at_end = UINT64_MAX;
constexpr std::uint64_t footer_sectors = 3;
constexpr std::uint64_t entries_per_table = 512;
constexpr std::uint64_t sectors_per_table = entries_per_table * 4 / sector;
constexpr std::uint64_t max_tables = 1u << 18;  // 8 TiB with the usual grains of 64 KiB
constexpr std::uint64_t max_descriptor = 2047;  // what qemu and Glance read of it

enum Flags : std::uint32_t {
  new_lines = 1,
  second_directory = 2,
  zeroed_grains = 4,
  packed = 1 << 16,
  markers = 1 << 17
};
enum Marker : std::uint32_t { end_of_stream = 0, footer_follows = 3 };

struct Header {
  std::uint32_t version, flags, table_entries;
  std::uint64_t capacity, grain, descriptor_at, descriptor_size, second_directory_at, directory_at, overhead;
  bool unclean;
  std::uint16_t compression;
  bool has_footer = false;

  bool is_packed() const { return (flags & packed) != 0; }
  std::uint64_t tables() const { return (capacity - 1) / (entries_per_table * grain) + 1; }
};

/// The sectors from `begin` to before `end`.
struct Area {
  std::uint64_t begin, end;
  auto operator<=>(Area const&) const = default;
};

Header read_header(LittleEndian const& in) {
  return {.version = in.u32(4),
          .flags = in.u32(8),
          .table_entries = in.u32(44),
          .capacity = in.u64(12),
          .grain = in.u64(20),
          .descriptor_at = in.u64(28),
          .descriptor_size = in.u64(36),
          .second_directory_at = in.u64(48),
          .directory_at = in.u64(56),
          .overhead = in.u64(64),
          .unclean = in.bytes[72] != std::byte{0},
          .compression = in.u16(77)};
}

Result<> check_header(Header const& header, std::span<std::byte const> bytes) {
  if (header.version < 1 || header.version > 3) {
    return fail(Fault::image_header, "VMDK version {} is not known", header.version);
  }
  if (auto const unknown = header.flags & ~(new_lines | second_directory | zeroed_grains | packed | markers)) {
    return fail(Fault::image_feature, "the VMDK needs unknown features ({:#x})", unknown);
  }
  if (header.compression > 1 || (header.compression == 1) != header.is_packed()) {
    return fail(Fault::image_feature, "the VMDK has the compression type {}", header.compression);
  }
  if (header.unclean) return fail(Fault::image_corrupt, "the VMDK was not closed properly");
  // A transfer as text would have changed these.
  constexpr std::string_view line_ends = "\n \r\n";
  if (!std::ranges::equal(bytes.subspan(73, 4), std::as_bytes(std::span{line_ends})) ||
      std::ranges::any_of(bytes.subspan(79), [](std::byte byte) { return byte != std::byte{0}; })) {
    return fail(Fault::image_header, "the VMDK's header is damaged");
  }
  if (header.table_entries != entries_per_table || !std::has_single_bit(header.grain) || header.grain < 8 ||
      header.grain > 2048) {
    return fail(Fault::image_header, "the VMDK has {} grains of {} sectors in a table", header.table_entries,
                header.grain);
  }
  // A disk without sectors makes qemu take the descriptor for a list of other files.
  if (header.capacity == 0 || header.capacity > max_virtual_size.value / sector || header.tables() > max_tables) {
    return fail(Fault::image_virtual_size, "the VMDK's disk has {} sectors", header.capacity);
  }
  return {};
}

/// The footer of a stream: a marker, the header with the place of the directory, and the marker of the end. qemu
/// believes it and no longer the header.
Result<std::uint64_t> directory_from_footer(std::span<std::byte const> header, Content& content) {
  if (content.size().value % sector != 0 || content.size().value < (1 + footer_sectors) * sector) {
    return fail(Fault::image_truncated, "the VMDK does not end with a footer");
  }
  auto footer = read_part(content, content.size().value - footer_sectors * sector, footer_sectors * sector);
  if (!footer) return fail(footer.error());
  LittleEndian const in{*footer};
  auto const directory_at = in.u64(sector + 56);
  auto const place = std::span{*footer}.subspan(sector + 56, 8);
  std::ranges::copy(header.subspan(56, 8), place.begin());
  bool const marked = in.u32(8) == 0 && in.u32(12) == footer_follows && in.u64(2 * sector) == 0 &&
                      in.u32(2 * sector + 8) == 0 && in.u32(2 * sector + 12) == end_of_stream;
  if (!marked || !std::ranges::equal(header, std::span{*footer}.subspan(sector, sector))) {
    return fail(Fault::image_header, "the VMDK's footer is not its header again");
  }
  return directory_at;
}

Result<> check_descriptor(Header const& header, std::span<std::byte const> head) {
  // qemu reads it there, whatever the header says.
  if (header.descriptor_at != 1 || header.descriptor_size == 0 || header.descriptor_size > max_descriptor) {
    return fail(Fault::image_descriptor, "the VMDK has {} sectors of descriptor at {}", header.descriptor_size,
                header.descriptor_at);
  }
  if (head.size() < (1 + header.descriptor_size) * sector) {
    return fail(Fault::image_truncated, "the image ends within its VMDK descriptor");
  }
  auto const area = head.subspan(sector, header.descriptor_size * sector);
  auto const found = read_vmdk_descriptor({reinterpret_cast<char const*>(area.data()), area.size()});
  if (!found) return fail(found.error());
  if (found->sectors != header.capacity) {
    return fail(Fault::image_extent, "the VMDK's extent has {} sectors, its disk {}", found->sectors, header.capacity);
  }
  if ((found->create_type == "streamOptimized") != header.is_packed()) {
    return fail(Fault::image_descriptor, "the VMDK's descriptor says {}, its header something else",
                found->create_type);
  }
  return {};
}

/// The directories and tables that lead to the grains, which are the clusters of this format.
class Tables {
public:
  Tables(Header const& header, Content& content)
      : header_{header}, content_{content}, sectors_{content.size().value / sector} {}

  Result<> check() {
    areas_.push_back({0, 1 + header_.descriptor_size});
    if (header_.has_footer) areas_.push_back({sectors_ - footer_sectors, sectors_});
    if (auto const fine = add_directory(header_.directory_at); !fine) return fine;
    if (header_.flags & second_directory) {
      if (auto const fine = add_directory(header_.second_directory_at); !fine) return fine;
    }
    std::ranges::sort(areas_);
    auto const overlap = [](Area const& a, Area const& b) { return b.begin < a.end; };
    if (std::ranges::adjacent_find(areas_, overlap) != areas_.end()) {
      return fail(Fault::image_table, "tables of the VMDK lie over each other or over its header");
    }
    std::ranges::sort(tables_);
    for (auto const at : tables_) {
      if (auto const fine = check_table(at); !fine) return fine;
    }
    return {};
  }

private:
  Result<> add_area(std::uint64_t at, std::uint64_t size) {
    if (at > sectors_ || size > sectors_ - at) {
      return fail(Fault::image_table, "a table of the VMDK is at sector {}, outside the file", at);
    }
    areas_.push_back({at, at + size});
    return {};
  }

  Result<> add_directory(std::uint64_t at) {
    auto const size = header_.tables() * 4;
    if (auto const fine = add_area(at, (size - 1) / sector + 1); !fine) return fine;
    auto const directory = read_part(content_, at * sector, size);
    if (!directory) return fail(directory.error());
    LittleEndian const in{*directory};
    for (std::size_t i = 0; i < size; i += 4) {
      auto const table = in.u32(i);
      if (table == 0) continue;  // nothing in this part of the disk
      if (auto const fine = add_area(table, sectors_per_table); !fine) return fine;
      tables_.push_back(table);
    }
    return {};
  }

  /// What a guest writes goes to the grains, so they must not lie where the file describes itself.
  Result<> check_table(std::uint64_t at) {
    auto const table = read_part(content_, at * sector, sectors_per_table * sector);
    if (!table) return fail(table.error());
    LittleEndian const in{*table};
    for (std::size_t i = 0; i < table->size(); i += 4) {
      std::uint64_t const grain = in.u32(i);
      bool const absent = grain == 0 || (grain == 1 && header_.flags & zeroed_grains);
      if (absent) continue;
      Area const area{grain, grain + (header_.is_packed() ? 1 : header_.grain)};
      auto const next = std::ranges::lower_bound(areas_, area.end, {}, &Area::begin);
      if (area.end > sectors_ || std::prev(next)->end > area.begin) {
        return fail(Fault::image_table, "a grain of the VMDK is at sector {}, outside the file or over a table", grain);
      }
    }
    return {};
  }

  Header const& header_;
  Content& content_;
  std::uint64_t sectors_;
  std::vector<Area> areas_;            // what is not data; the header makes it never empty
  std::vector<std::uint64_t> tables_;  // where they are; in order, which spares packed content its rewinds
};

}  // namespace

Result<ByteCount> check_vmdk(std::span<std::byte const> head, Content& content) {
  if (head.size() < sector) return fail(Fault::image_truncated, "the image ends within its VMDK header");
  auto const first = head.first(sector);
  auto header = read_header({first});
  if (auto const fine = check_header(header, first); !fine) return fail(fine.error());
  if (auto const fine = check_descriptor(header, head); !fine) return fail(fine.error());
  if (header.directory_at == directory_at_end) {
    auto const directory = directory_from_footer(first, content);
    if (!directory) return fail(directory.error());
    header.directory_at = *directory;
    header.has_footer = true;
  }
  if (auto const fine = Tables{header, content}.check(); !fine) return fail(fine.error());
  return ByteCount{header.capacity * sector};
}

}  // namespace imageswarm::image
