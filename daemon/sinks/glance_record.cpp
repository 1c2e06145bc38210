#include "daemon/sinks/glance_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::sinks {
namespace {

using Properties = std::map<std::string, std::string>;
using Tags = std::set<std::string>;

/// What the entry wishes, and what the site has set, which wins.
Properties described_properties(document::Image const& image, flow::SinkSettings const& settings) {
  Properties properties{{"os_distro", image.os_distro},
                        {"os_version", image.os_version},
                        {"architecture", image.architecture},
                        {"hypervisor_type", image.hypervisor == "kvm" ? "qemu" : image.hypervisor}};  // Nova's word
  for (auto const* wishes : {&image.glance_properties, &settings.properties}) {  // the readers have refused odd names
    for (auto const& [name, value] : *wishes) properties[name] = value;
  }
  std::erase_if(properties, [](auto const& property) { return property.second.empty(); });
  return properties;
}

Tags described_tags(document::Image const& image, flow::SinkSettings const& settings) {
  Tags tags{image.glance_tags.begin(), image.glance_tags.end()};
  tags.insert(settings.tags.begin(), settings.tags.end());
  return tags;
}

/// A name with a comma is not remembered, so nobody takes it away.
std::string remembered(std::vector<std::string> names) {
  std::erase_if(names, [](auto const& name) { return name.find(',') != std::string::npos; });
  return join(names, ",");
}

std::set<std::string> set_earlier(openstack::GlanceImage const& record, std::string_view list) {
  std::set<std::string> names;
  for (auto const name : split(property_of(record, list), ',')) names.emplace(name);
  return names;
}

std::string names_of(Properties const& properties) {
  std::vector<std::string> names;
  for (auto const& [name, value] : properties) names.push_back(name);
  return remembered(std::move(names));
}

std::string serial_of(flow::Provenance const& provenance) {
  return fmt::format("{} {}", provenance.catalogue, provenance.serial);
}

/// Everything that we say in properties, and what we must remember of it; without `described_by`.
Properties properties_of(flow::Want const& want, flow::SinkSettings const& settings) {
  auto const& image = want.image;
  auto properties = described_properties(image, settings);
  auto const tags = described_tags(image, settings);
  auto const names = names_of(properties);
  properties[property::properties] = names;
  properties[property::tags] = remembered({tags.begin(), tags.end()});
  properties[property::image_id] = image.image_id.text();
  properties["imageswarm_family"] = image.uuid.text();
  properties["imageswarm_version"] = image.version.text;
  properties[property::endorser] = want.provenance.endorser;
  if (want.derived_from) properties["imageswarm_derived_from"] = want.derived_from->text();
  std::erase_if(properties, [](auto const& property) { return property.second.empty(); });
  return properties;
}

std::uint32_t in_gib(ByteCount size) {
  return static_cast<std::uint32_t>((size.value + ByteCount{1_GiB}.value - 1) / ByteCount{1_GiB}.value);
}

std::uint32_t min_disk_of(document::Image const& image, ByteCount virtual_size) {
  return std::max(
      {image.min_disk_gib.value_or(0), in_gib(image.volume_size.value_or(ByteCount{})), in_gib(virtual_size)});
}

/// Of two hosts with different catalogues the one with the newer version of the same describes the image; what a signer
/// vouches for is described by his or her words.
bool may_describe(openstack::GlanceImage const& record, flow::Provenance const& ours) {
  auto const endorser = property_of(record, property::endorser);
  if (!endorser.empty() && endorser != ours.endorser) return false;
  auto const by = property_of(record, property::described_by);
  auto const blank = by.rfind(' ');
  if (blank == std::string_view::npos || by.substr(0, blank) != ours.catalogue) return true;
  auto const serial = parse_number(by.substr(blank + 1), 0, document::max_serial);
  return !serial || *serial <= ours.serial || record.seen - record.updated > description_patience;
}

void describe_tags(openstack::GlanceImage const& record, Tags const& wanted, openstack::Changes& changes) {
  auto const ours = set_earlier(record, property::tags);
  auto tags = wanted;
  for (auto const& tag : record.tags) {
    if (!ours.contains(tag)) tags.insert(tag);
  }
  if (tags == Tags(record.tags.begin(), record.tags.end())) return;
  changes.emplace_back("tags", std::vector<std::string>(tags.begin(), tags.end()));
}

void describe_properties(openstack::GlanceImage const& record, Properties const& wanted, openstack::Changes& changes) {
  for (auto const& [name, value] : wanted) {
    if (property_of(record, name) != value) changes.emplace_back(name, value);
  }
  auto earlier = set_earlier(record, property::properties);
  earlier.insert({property::properties, property::tags});
  for (auto const& name : earlier) {
    if (!wanted.contains(name) && record.properties.contains(name)) changes.emplace_back(name, openstack::Gone{});
  }
}

openstack::Changes description(openstack::GlanceImage const& record, flow::Want const& want,
                               flow::SinkSettings const& settings, ByteCount virtual_size, Properties const& further) {
  auto const& image = want.image;
  openstack::Changes changes;
  if (record.name != image.name) changes.emplace_back("name", image.name);
  if (record.visibility != settings.visibility) changes.emplace_back("visibility", settings.visibility);
  if (settings.protect && !record.is_protected) changes.emplace_back("protected", true);
  if (auto const needed = min_disk_of(image, virtual_size); record.min_disk_gib < needed) {
    changes.emplace_back("min_disk", needed);
  }
  if (image.min_ram_mib && record.min_ram_mib != *image.min_ram_mib) {
    changes.emplace_back("min_ram", *image.min_ram_mib);
  }
  describe_tags(record, described_tags(image, settings), changes);
  auto properties = properties_of(want, settings);
  properties.insert(further.begin(), further.end());
  describe_properties(record, properties, changes);
  if (!changes.empty()) changes.emplace_back(property::described_by, serial_of(want.provenance));
  return changes;
}

}  // namespace

Uuid attempt_id(Uuid const& image_id, unsigned attempt) {
  return attempt == 1 ? image_id : Uuid::named(image_id, std::to_string(attempt));
}

openstack::NewImage new_record(flow::Want const& want, flow::SinkSettings const& settings, Uuid const& id,
                               std::string_view host) {
  auto const& image = want.image;
  auto const tags = described_tags(image, settings);
  auto properties = properties_of(want, settings);
  properties[property::described_by] = serial_of(want.provenance);
  properties[property::uploader] = host;
  return {.id = id.text(),
          .name = image.name,
          .disk_format = image.disk_format,
          .container_format = image.container_format,
          .min_disk_gib = min_disk_of(image, {}),
          .min_ram_mib = image.min_ram_mib.value_or(0),
          .tags = {tags.begin(), tags.end()},
          .properties = std::move(properties)};
}

openstack::Changes changes_to_describe(openstack::GlanceImage const& record, flow::Want const& want,
                                       flow::SinkSettings const& settings, Properties const& further) {
  if (!may_describe(record, want.provenance)) return {};
  return description(record, want, settings, {}, further);
}

openstack::Changes changes_to_show(openstack::GlanceImage const& record, flow::Want const& want,
                                   flow::SinkSettings const& settings, ByteCount virtual_size) {
  auto changes = description(record, want, settings, virtual_size, {});
  changes.emplace_back("os_hidden", false);
  if (!property_of(record, property::retired).empty()) changes.emplace_back(property::retired, std::string{});
  return changes;
}

openstack::Changes changes_to_retire(openstack::GlanceImage const& record, flow::Retirement why,
                                     flow::SinkSettings const& settings) {
  openstack::Changes changes;
  if (!record.hidden) changes.emplace_back("os_hidden", true);
  auto const mark = name_of(why);
  auto const before = property_of(record, property::retired);
  bool const is_weaker = why == flow::Retirement::superseded && !before.empty();
  if (before != mark && !is_weaker) changes.emplace_back(property::retired, std::string{mark});
  bool const is_our_protection = settings.protect && before.empty();  // later it is somebody's who still needs it
  if (is_our_protection && record.is_protected) changes.emplace_back("protected", false);
  return changes;
}

std::string_view property_of(openstack::GlanceImage const& record, std::string_view name) {
  auto const found = record.properties.find(std::string{name});
  return found == record.properties.end() ? std::string_view{} : std::string_view{found->second};
}

}  // namespace imageswarm::sinks
