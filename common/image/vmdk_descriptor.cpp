#include "common/image/vmdk_descriptor.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/image/inspect.hpp"

namespace imageswarm::image {
namespace {

constexpr std::uint64_t sector = 512;

// In lower case, as VMware's programs do not mind it. From the VMware Virtual Disk Format 5.0, and what qemu-img,
// VirtualBox and ovftool write.
constexpr std::array comments{"#", "# disk descriptorfile", "# extent description", "# the disk data base", "#ddb"};
constexpr std::array database{"ddb.adaptertype",        "ddb.deletable",
                              "ddb.encoding",           "ddb.geometry.bioscylinders",
                              "ddb.geometry.biosheads", "ddb.geometry.biossectors",
                              "ddb.geometry.cylinders", "ddb.geometry.heads",
                              "ddb.geometry.sectors",   "ddb.longcontentid",
                              "ddb.thinprovisioned",    "ddb.toolsinstalltype",
                              "ddb.toolsversion",       "ddb.uuid",
                              "ddb.uuid.image",         "ddb.uuid.modification",
                              "ddb.uuid.parent",        "ddb.uuid.parentmodification",
                              "ddb.virtualhwversion"};

bool is_one_of(auto const& list, std::string_view text) {
  return std::ranges::find(list, text) != std::end(list);
}

/// The text between two quotes, of characters that cannot be mistaken for anything else.
bool is_quoted(std::string_view text) {
  auto const harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '-' ||
           c == '.' || c == '_' || c == '+';
  };
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' &&
         std::ranges::all_of(text.substr(1, text.size() - 2), harmless);
}

class Reader {
public:
  Result<> read_line(std::string_view line) {
    auto const lower = lower_case(line);
    if (line.empty() || is_one_of(comments, lower)) return {};
    if (lower.starts_with("rw ") || lower.starts_with("rdonly ")) return read_extent(line);
    auto const equals = line.find('=');
    if (equals == line.npos) return not_understood(line);
    return read_setting(line, trimmed(std::string_view{lower}.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }

  Result<VmdkDescriptor> finish() {
    for (auto const* key : {"version", "cid", "parentcid", "createtype"}) {
      if (!seen_.contains(key)) return fail(Fault::image_descriptor, "the VMDK's descriptor has no {}", key);
    }
    if (result_.sectors == 0) return fail(Fault::image_extent, "the VMDK's descriptor has no extent");
    return std::move(result_);
  }

private:
  static tl::unexpected<Error> not_understood(std::string_view line) {
    return fail(Fault::image_descriptor, "the VMDK's descriptor says \"{}\"", printable(line));
  }

  Result<> read_setting(std::string_view line, std::string_view key, std::string_view value) {
    if (!seen_.insert(std::string{key}).second) return not_understood(line);
    auto const lower = lower_case(value);
    bool fine = false;
    if (key == "version") {
      fine = value == "1" || value == "2" || value == "3";
    } else if (key == "cid") {
      fine = value.size() <= 8 && from_hex(std::string(8 - value.size(), '0') + lower).has_value();
    } else if (key == "parentcid") {
      fine = lower == "ffffffff";
      if (!fine) return fail(Fault::image_backing_file, "the VMDK has a parent, {}", printable(value));
    } else if (key == "encoding") {
      fine = lower == "\"utf-8\"" || lower == "\"windows-1252\"" || lower == "\"us-ascii\"";
    } else if (key == "isnativesnapshot") {
      fine = lower == "\"no\"";
    } else if (key == "createtype") {
      fine = value == "\"monolithicSparse\"" || value == "\"streamOptimized\"";
      if (fine) result_.create_type = value.substr(1, value.size() - 2);
    } else {
      fine = is_one_of(database, key) && is_quoted(value);
    }
    return fine ? Result<>{} : not_understood(line);
  }

  /// RW 20480 SPARSE "disk.vmdk": where the extent is this file itself, whatever it was called when it was written.
  Result<> read_extent(std::string_view line) {
    if (result_.sectors != 0) return fail(Fault::image_extent, "the VMDK has more than one extent");
    auto const quote = std::min(line.find('"'), line.size());
    auto const words = split(trimmed(line.substr(0, quote)), ' ');
    auto const name = line.substr(quote);
    bool const whole = name.size() > 2 && name.back() == '"' && name.find('"', 1) == name.size() - 1;
    bool const fine = words.size() == 3 && words[2] == "SPARSE" && whole && name.find_first_of("/\\") == name.npos;
    if (auto const sectors = parse_number(fine ? words[1] : "", 1, max_virtual_size.value / sector); sectors) {
      result_.sectors = *sectors;
      return {};
    }
    return fail(Fault::image_extent, "the VMDK has the extent {}", printable(line));
  }

  VmdkDescriptor result_;
  std::set<std::string> seen_;
};

}  // namespace

Result<VmdkDescriptor> read_vmdk_descriptor(std::string_view area) {
  auto const text = area.substr(0, area.find('\0'));
  if (text.size() == area.size() || area.find_first_not_of('\0', text.size()) != area.npos) {
    return fail(Fault::image_descriptor, "the VMDK's descriptor does not end, or something follows it");
  }
  if (lower_case(text).find("parentfilenamehint") != std::string::npos) {
    return fail(Fault::image_backing_file, "the VMDK names a parent");
  }
  Reader reader;
  for (auto const line : split(text, '\n')) {
    if (auto const fine = reader.read_line(trimmed(line)); !fine) return fail(fine.error());
  }
  return reader.finish();
}

}  // namespace imageswarm::image
