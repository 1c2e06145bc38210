#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace imageswarm::test {

/// A sound file, to be spoilt at single places.
template <class Self>
class Spoilable {
public:
  explicit Spoilable(std::string content) : content_{std::move(content)} {}
  Self& big(std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0; value >>= 8) content_[at + i] = static_cast<char>(value & 0xff);
    return self();
  }
  Self& little(std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i, value >>= 8) content_[at + i] = static_cast<char>(value & 0xff);
    return self();
  }
  Self& text(std::size_t at, std::string_view value) {
    content_.replace(at, value.size(), value);
    return self();
  }
  Self& resize(std::size_t size) {
    content_.resize(size);
    return self();
  }
  std::string const& content() const { return content_; }
  operator std::string() const { return content_; }

protected:
  std::string content_;

private:
  Self& self() { return static_cast<Self&>(*this); }
};

/// An empty qcow2 of version 3 with clusters of 64 KiB.
class Qcow2 : public Spoilable<Qcow2> {
public:
  static constexpr std::uint64_t disk_size = 10ull << 30;
  static constexpr std::size_t header_length = 104;

  Qcow2() : Spoilable{std::string(3 * 65536 + 20 * 8, '\0')} {
    text(0, "QFI\xfb");
    u32(4, 3).u32(20, 16).u64(24, disk_size);  // version, cluster bits, size
    u32(36, 20).u64(40, 3 * 65536);            // L1 table
    u64(48, 65536).u32(56, 1);                 // refcount table
    u32(96, 4).u32(100, header_length);        // refcount order, header length
    u64(65536, 2 * 65536);                     // the one refcount block
  }
  Qcow2& u32(std::size_t at, std::uint32_t value) { return big(at, value, 4); }
  Qcow2& u64(std::size_t at, std::uint64_t value) { return big(at, value, 8); }
  Qcow2& u8(std::size_t at, std::uint8_t value) { return big(at, value, 1); }
  Qcow2& extension(std::uint32_t type, std::string_view data) {
    u32(next_extension_, type).u32(next_extension_ + 4, static_cast<std::uint32_t>(data.size()));
    text(next_extension_ + 8, data);
    next_extension_ += 8 + (data.size() + 7) / 8 * 8;
    return *this;
  }

private:
  std::size_t next_extension_ = header_length;
};

/// A VMDK as qemu-img writes it, with one grain of data.
class Vmdk : public Spoilable<Vmdk> {
public:
  enum class Kind : std::uint8_t { sparse, stream, stream_with_footer };
  static constexpr std::uint64_t disk_size = 10u << 20;
  static constexpr std::size_t sector = 512, directory = 26 * sector, table = 27 * sector;
  static constexpr std::size_t second_directory = 21 * sector, second_table = 22 * sector;
  static constexpr std::size_t grain = 128 * sector, footer = 257 * sector;

  explicit Vmdk(Kind kind = Kind::sparse) : Spoilable{std::string(256 * sector, '\0')} {
    text(0, "KDMV").u32(4, 1).u32(8, 3).u64(12, disk_size / sector).u64(20, 128);  // flags, capacity, grain
    u64(28, 1).u64(36, 20).u32(44, 512);                                           // descriptor, entries of a table
    u64(48, 21).u64(56, 26).u64(64, 128).text(73, "\n \r\n");                      // directories, overhead
    u32(second_directory, 22).u32(directory, 27).u32(second_table, 128).u32(table, 128);
    descriptor(default_descriptor("monolithicSparse"));
    if (kind == Kind::sparse) return;
    u32(4, 3).u32(8, 0x30003).little(77, 1, 2).descriptor(default_descriptor("streamOptimized"));
    if (kind == Kind::stream) return;
    auto const header = u64(56, UINT64_MAX).content().substr(0, sector);
    resize(footer + 2 * sector);  // with the marker before it and the one after it
    u32(footer - sector + 12, 3).text(footer, header).u64(footer + 56, 26);
  }
  Vmdk& u32(std::size_t at, std::uint32_t value) { return little(at, value, 4); }
  Vmdk& u64(std::size_t at, std::uint64_t value) { return little(at, value, 8); }
  Vmdk& descriptor(std::string const& lines) {
    return text(sector, std::string(20 * sector, '\0')).text(sector, lines);
  }
  /// With this text instead of `from` in the descriptor.
  Vmdk& describe(std::string_view from, std::string_view to) {
    auto lines = content().substr(sector, content().find('\0', sector) - sector);
    return descriptor(lines.replace(lines.find(from), from.size(), to));
  }
  static std::string default_descriptor(std::string const& kind) {
    return "# Disk DescriptorFile\nversion=1\nCID=b227fbf6\nparentCID=ffffffff\ncreateType=\"" + kind +
           "\"\n\n# Extent description\nRW 20480 SPARSE \"disk.vmdk\"\n\n# The Disk Data Base\n#DDB\n\n"
           "ddb.virtualHWVersion = \"4\"\nddb.adapterType = \"ide\"\n";
  }
};

/// An ISO 9660 volume of 20 blocks, as far as its volume descriptors go.
class Iso : public Spoilable<Iso> {
public:
  static constexpr std::size_t block = 2048, primary = 16 * block, terminator = 17 * block;

  Iso() : Spoilable{std::string(20 * block, '\0')} {
    text(primary, "\1CD001\1").blocks(20).little(primary + 128, block, 2).big(primary + 130, block, 2);
    text(terminator,
         "\xff"
         "CD001\1");
  }
  Iso& blocks(std::uint32_t count) { return little(primary + 80, count, 4).big(primary + 84, count, 4); }
};

}  // namespace imageswarm::test
