#include "common/image/formats.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.hpp"
#include "common/image/iso.hpp"
#include "common/image/ova.hpp"
#include "common/image/partitions.hpp"
#include "common/image/qcow2.hpp"
#include "common/image/vmdk.hpp"

namespace imageswarm::image {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view accepted = "raw, qcow2, VMDK of one file, ISO 9660 and OVA";

struct Mark {
  std::string_view format;
  std::size_t offset;  // from the beginning, or of the tail from its end
  std::string_view bytes;
};

// Magic numbers of qemu's block drivers (block/*.c) and of Glance's format inspector, and of the containers in which
// people hand images around.
constexpr Mark head_marks[] = {
    {"qcow", 0, "QFI\xfb\0\0\0\1"sv},
    {"vmdk", 0, "KDMV"sv},
    {"vmdk (COWD)", 0, "COWD"sv},
    {"vmdk (seSparse)", 0, "\xbe\xba\xfe\xca\0\0\0\0"sv},
    {"vhd", 0, "conectix"sv},
    {"vhdx", 0, "vhdxfile"sv},
    {"vdi", 64, "\x7f\x10\xda\xbe"sv},
    {"qed", 0, "QED\0"sv},
    {"parallels", 0, "WithoutFreeSpace"sv},
    {"parallels", 0, "WithouFreSpacExt"sv},
    {"bochs", 0, "Bochs Virtual HD Image"sv},
    {"cloop", 0, "#!/bin/sh\n#V2.0 Format\n"sv},
    {"luks", 0, "LUKS\xba\xbe"sv},
    {"iso", 32769, "CD001"sv},
    {"udf", 32769, "BEA01"sv},
    {"udf", 32769, "NSR02"sv},
    {"udf", 32769, "NSR03"sv},
    {"tar", 257, "ustar"sv},
    {"gzip", 0, "\x1f\x8b\x08"sv},
    {"xz", 0,
     "\xfd"
     "7zXZ\0"sv},
    {"zstd", 0, "\x28\xb5\x2f\xfd"sv},
    {"bzip2", 0, "BZh"sv},
    {"lz4", 0, "\x04\x22\x4d\x18"sv},
    {"lzip", 0, "LZIP"sv},
    {"lzop", 0, "\x89LZO\0\r\n\x1a\n"sv},
    {"zip", 0, "PK\x03\x04"sv},
    {"7z", 0, "7z\xbc\xaf\x27\x1c"sv},
};

// Virtual PC's first version wrote a footer of 511 bytes.
constexpr Mark tail_marks[] = {
    {"vhd", 512, "conectix"sv},
    {"vhd", 511, "conectix"sv},
    {"dmg", 512, "koly"sv},
};

std::string_view text_of(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// The descriptor of a VMDK is a text that names other files; qemu takes it for one when the first line that is
/// neither blank nor a comment is "version=".
bool is_text_vmdk(std::string_view head) {
  constexpr std::size_t longest_preamble = 64u << 10;
  auto rest = head.substr(0, longest_preamble);
  if (lower_case(rest.substr(0, 21)) == "# disk descriptorfile") return true;
  while (!rest.empty()) {
    auto const line = trimmed(rest.substr(0, rest.find('\n')));
    if (!line.empty() && line.front() != '#') return lower_case(line.substr(0, 8)) == "version=";
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  }
  return false;
}

std::vector<std::string> formats_of(std::string_view head) {
  std::vector<std::string> found;
  auto const add = [&found](std::string_view format) {
    if (std::ranges::find(found, format) == found.end()) found.emplace_back(format);
  };
  if (is_qcow2(head)) add("qcow2");
  for (auto const& mark : head_marks) {
    if (head.size() > mark.offset && head.substr(mark.offset).starts_with(mark.bytes)) add(mark.format);
  }
  if (is_text_vmdk(head)) add("vmdk (descriptor)");
  return found;
}

using Check = Result<ByteCount> (*)(std::span<std::byte const> head, Content& content);

/// The rules for a format that is accepted and not raw.
Check check_of(std::string_view format) {
  if (format == "qcow2") {
    return [](std::span<std::byte const> head, Content& content) { return check_qcow2(head, content.size()); };
  }
  if (format == "vmdk") return check_vmdk;
  if (format == "iso") {
    return [](std::span<std::byte const> head, Content& content) { return check_iso(head, content.size()); };
  }
  return nullptr;
}

Result<std::vector<std::byte>> read_head(Content& content) {
  return read_part(content, 0, std::min(head_size, content.size()).value);
}

Result<Inspection> judge_head(std::span<std::byte const> head, std::vector<std::string> const& found,
                              Content& content) {
  if (found.size() > 1) {
    return fail(Fault::image_format_mismatch, "the image looks like more than one format: {}", join(found, ", "));
  }
  Inspection result{found.empty() ? "raw" : found.front(), "bare", content.size()};
  if (found.empty()) {
    result.partitions = partitions_of(head);
  } else if (auto const check = check_of(result.disk_format)) {
    auto const size = check(head, content);
    if (!size) return fail(size.error());
    result.virtual_size = *size;
  } else {
    return fail(Fault::image_format_unsupported, "the image is {}; only {} are accepted", result.disk_format, accepted);
  }
  if (auto const fine = check_virtual_size(result.virtual_size); !fine) return fail(fine.error());
  return result;
}

}  // namespace

Result<> check_virtual_size(ByteCount size) {
  if (size.value == 0) return fail(Fault::image_virtual_size, "the disk has no bytes");
  if (size > max_virtual_size) {
    return fail(Fault::image_virtual_size, "the disk has {}, more than the {} that are accepted", human(size),
                human(max_virtual_size));
  }
  return {};
}

Result<Inspection> judge(Content& content) {
  auto const head = read_head(content);
  if (!head) return fail(head.error());
  auto const found = formats_of(text_of(*head));
  if (found != std::vector<std::string>{"tar"}) return judge_head(*head, found, content);
  auto const appliance = read_ova(content);
  if (!appliance) return fail(appliance.error());
  return summary_of(*appliance);
}

Result<Inspection> judge_disk(Content& content) {
  auto const head = read_head(content);
  if (!head) return fail(head.error());
  return judge_head(*head, formats_of(text_of(*head)), content);
}

Result<> judge_tail(std::span<std::byte const> tail) {
  auto const text = text_of(tail);
  for (auto const& mark : tail_marks) {
    if (text.size() >= mark.offset && text.substr(text.size() - mark.offset).starts_with(mark.bytes)) {
      return fail(Fault::image_format_unsupported, "the image ends like {}; only {} are accepted", mark.format,
                  accepted);
    }
  }
  return {};
}

}  // namespace imageswarm::image
