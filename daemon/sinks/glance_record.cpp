#include "daemon/sinks/glance_record.hpp"

#include <algorithm>
#include <set>

namespace imageswarm::sinks {
namespace {

std::map<std::string, std::string> properties_of(flow::Want const& want) {
  auto const& image = want.image;
  std::map<std::string, std::string> properties;
  auto const set = [&properties](std::string const& name, std::string const& value) {
    if (!value.empty()) properties[name] = value;
  };
  set("os_distro", image.os_distro);
  set("os_version", image.os_version);
  set("architecture", image.architecture);
  set("hypervisor_type", image.hypervisor == "kvm" ? "qemu" : image.hypervisor);  // Nova's word for KVM
  for (auto const& [name, value] : image.glance_properties) set(name, value);     // the document has refused odd names
  set(property::image_id, image.image_id.text());
  set("imageswarm_family", image.uuid.text());
  set("imageswarm_version", image.version.text);
  set("imageswarm_endorser", want.provenance.endorser);
  return properties;
}

std::uint32_t in_gib(ByteCount size) {
  return static_cast<std::uint32_t>((size.value + ByteCount{1_GiB}.value - 1) / ByteCount{1_GiB}.value);
}

std::uint32_t min_disk_of(document::Image const& image, ByteCount virtual_size) {
  return std::max(
      {image.min_disk_gib.value_or(0), in_gib(image.volume_size.value_or(ByteCount{})), in_gib(virtual_size)});
}

}  // namespace

Uuid attempt_id(Uuid const& image_id, unsigned attempt) {
  return attempt == 1 ? image_id : Uuid::named(image_id, std::to_string(attempt));
}

openstack::NewImage new_record(flow::Want const& want, Uuid const& id, std::string_view host) {
  auto const& image = want.image;
  auto properties = properties_of(want);
  properties[property::uploader] = host;
  return {.id = id.text(),
          .name = image.name,
          .disk_format = image.disk_format,
          .container_format = image.container_format,
          .min_disk_gib = min_disk_of(image, {}),
          .min_ram_mib = image.min_ram_mib.value_or(0),
          .tags = image.glance_tags,
          .properties = std::move(properties)};
}

openstack::Changes changes_to_show(openstack::GlanceImage const& record, flow::Want const& want, ByteCount virtual_size,
                                   std::string_view visibility) {
  auto const& image = want.image;
  openstack::Changes changes{{"os_hidden", false}, {"visibility", std::string{visibility}}};
  if (record.name != image.name) changes.emplace_back("name", image.name);
  if (auto const needed = min_disk_of(image, virtual_size); record.min_disk_gib < needed) {
    changes.emplace_back("min_disk", needed);
  }
  if (image.min_ram_mib && record.min_ram_mib != *image.min_ram_mib) {
    changes.emplace_back("min_ram", *image.min_ram_mib);
  }
  using Tags = std::set<std::string>;
  if (Tags(record.tags.begin(), record.tags.end()) != Tags(image.glance_tags.begin(), image.glance_tags.end())) {
    changes.emplace_back("tags", image.glance_tags);
  }
  for (auto& [name, value] : properties_of(want)) {
    if (property_of(record, name) != value) changes.emplace_back(name, value);
  }
  if (!property_of(record, property::retired).empty()) changes.emplace_back(property::retired, std::string{});
  return changes;
}

std::string_view property_of(openstack::GlanceImage const& record, std::string_view name) {
  auto const found = record.properties.find(std::string{name});
  return found == record.properties.end() ? std::string_view{} : std::string_view{found->second};
}

}  // namespace imageswarm::sinks
