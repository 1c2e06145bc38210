#include "common/image/ova.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/base/text.hpp"
#include "common/image/formats.hpp"
#include "common/image/manifest.hpp"

namespace imageswarm::image {
namespace {

constexpr ByteCount max_manifest_size = 64_KiB;

/// The members by what they are.
struct Package {
  Member ovf;
  std::optional<Member> manifest, certificate;
  std::vector<Member> files;
};

Result<Package> sort_members(std::vector<Member> members) {
  auto const ends_with = [](Member const& member, std::string_view ending) {
    return lower_case(member.name).ends_with(ending);
  };
  if (members.empty() || !ends_with(members.front(), ".ovf")) {
    return fail(Fault::image_archive, "the archive does not begin with an OVF");
  }
  Package package{.ovf = members.front(), .manifest = {}, .certificate = {}, .files = {}};
  for (auto& member : std::span{members}.subspan(1)) {
    if (ends_with(member, ".ovf")) return fail(Fault::image_archive, "the archive has a second OVF");
    auto* const special = ends_with(member, ".mf")     ? &package.manifest
                          : ends_with(member, ".cert") ? &package.certificate
                                                       : nullptr;
    if (special && *special) return fail(Fault::image_archive, "the archive has {} besides another", member.name);
    if (special) *special = std::move(member);
    if (!special) package.files.push_back(std::move(member));
  }
  return package;
}

Result<std::string> text_of(Member const& member, ByteCount most, Content& content) {
  if (member.size > most.value) {
    return fail(Fault::image_archive, "{} has {} bytes, more than the {} that are read", member.name, member.size,
                most.value);
  }
  auto const bytes = read_part(content, member.offset, member.size);
  if (!bytes) return fail(bytes.error());
  return std::string{reinterpret_cast<char const*>(bytes->data()), bytes->size()};
}

/// One member as a content of its own.
class MemberContent final : public Content {
public:
  MemberContent(Content& archive, Member const& member)
      : Content{{member.size}}, archive_{archive}, offset_{member.offset} {}

private:
  Result<> read_inside(std::uint64_t offset, std::span<std::byte> out) override {
    return archive_.read(offset_ + offset, out);
  }
  Content& archive_;
  std::uint64_t offset_;
};

Result<Inspection> judge_member(Content& archive, Member const& member) {
  MemberContent content{archive, member};
  auto const found = judge_disk(content);
  if (!found) return fail(Error{found.error()}.in(member.name));
  auto const tail = read_part(content, (content.size() - tail_size).value, std::min(tail_size, content.size()).value);
  if (!tail) return fail(tail.error());
  if (auto const fine = judge_tail(*tail); !fine) return fail(Error{fine.error()}.in(member.name));
  return found;
}

/// The files that the OVF names and those that the archive holds are the same. The result is which is which: id to
/// member.
Result<std::map<std::string, Member>> resolve(Ovf const& ovf, std::vector<Member> const& files) {
  std::map<std::string, Member> by_id;
  std::map<std::string, std::string> by_name;
  for (auto const& file : ovf.files) {
    auto const member = std::ranges::find(files, file.href, &Member::name);
    if (member == files.end()) {
      return fail(Fault::image_ovf, "the OVF refers to {}, which is not in the archive", printable(file.href));
    }
    if (file.size && file.size->value != member->size) {
      return fail(Fault::image_ovf, "{} has {} bytes, the OVF says {}", member->name, member->size, file.size->value);
    }
    if (!by_id.emplace(file.id, *member).second || !by_name.emplace(file.href, file.id).second) {
      return fail(Fault::image_ovf, "the OVF names {} twice", printable(file.href));
    }
  }
  for (auto const& member : files) {
    if (!by_name.contains(member.name)) {
      return fail(Fault::image_archive, "the archive holds {}, which its OVF does not name", member.name);
    }
  }
  return by_id;
}

Result<> compare(OvfDisk const& promised, ApplianceDisk const& disk) {
  bool const vmdk_promised = lower_case(promised.format).find("vmdk") != std::string::npos;
  if (vmdk_promised != (disk.inspection.disk_format == "vmdk")) {
    return fail(Fault::image_format_mismatch, "{} is {}, the OVF says {}", disk.member.name,
                disk.inspection.disk_format, printable(promised.format));
  }
  if (disk.inspection.virtual_size > promised.capacity) {
    return fail(Fault::image_virtual_size, "{} is a disk of {} bytes, the OVF says {}", disk.member.name,
                disk.inspection.virtual_size.value, promised.capacity.value);
  }
  return {};
}

}  // namespace

Result<Appliance> read_ova(Content& content) {
  auto members = read_tar(content);
  if (!members) return fail(members.error());
  auto package = sort_members(std::move(*members));
  if (!package) return fail(package.error());
  auto const xml = text_of(package->ovf, max_ovf_size, content);
  if (!xml) return fail(xml.error());
  auto ovf = read_ovf(*xml);
  if (!ovf) return fail(ovf.error());
  auto const files = resolve(*ovf, package->files);
  if (!files) return fail(files.error());

  // Every file, whether a disk refers to it or not: whoever unpacks the appliance opens them.
  std::map<std::string, Inspection> inspections;
  for (auto const& file : package->files) {
    auto found = judge_member(content, file);
    if (!found) return fail(found.error());
    inspections.emplace(file.name, std::move(*found));
  }
  Appliance appliance{.ovf = package->ovf,
                      .manifest = package->manifest,
                      .certificate = package->certificate,
                      .digest_algorithm = {},
                      .files = package->files,
                      .disks = {},
                      .products = std::move(ovf->products),
                      .properties = std::move(ovf->properties)};
  for (auto const& promised : ovf->disks) {
    if (promised.file.empty()) continue;
    auto const file = files->find(promised.file);
    if (file == files->end()) return fail(Fault::image_ovf, "the disk {} has no file", printable(promised.id));
    auto const& disk = appliance.disks.emplace_back(ApplianceDisk{file->second, inspections.at(file->second.name)});
    if (auto const fine = compare(promised, disk); !fine) return fail(fine.error());
  }
  if (appliance.disks.empty()) return fail(Fault::image_ovf, "the appliance has no disk");

  if (package->manifest) {
    auto const text = text_of(*package->manifest, max_manifest_size, content);
    if (!text) return fail(text.error());
    auto listed = package->files;
    listed.insert(listed.begin(), package->ovf);
    if (auto const fine = check_manifest(*text, listed, content); !fine) return fail(fine.error());
    appliance.digest_algorithm = algorithm_of(*text);
  }
  return appliance;
}

Inspection summary_of(Appliance const& appliance) {
  auto const size = [](ApplianceDisk const& disk) { return disk.inspection.virtual_size; };
  return {.disk_format = appliance.disks.front().inspection.disk_format,
          .container_format = "ova",
          .virtual_size = size(std::ranges::max(appliance.disks, {}, size))};
}

}  // namespace imageswarm::image
