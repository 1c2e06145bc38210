#include "indexer/exchange/glance_record.hpp"

#include "common/base/text.hpp"
#include "common/openstack/source_image.hpp"

namespace imageswarm::exchange {
namespace {

/// Properties that have a key of their own in an entry.
std::map<std::string, std::string> const keys_of_properties{{"architecture", "architecture"},
                                                            {"description", "description"},
                                                            {"hypervisor_type", "hypervisor"},
                                                            {"os_distro", "os-distro"},
                                                            {"os_version", "os-version"}};

std::string value_of(std::map<std::string, std::string> const& properties, std::string const& name) {
  auto const found = properties.find(name);
  return found == properties.end() ? std::string{} : found->second;
}

/// Nova copies the properties of an instance's image to its snapshots, so they do not make one ours.
bool is_snapshot(openstack::GlanceImage const& record) {
  return value_of(record.properties, "image_type") == "snapshot" || record.properties.contains("base_image_ref");
}

}  // namespace

Result<RecordEntry> read_record(openstack::GlanceImage const& record) {
  auto const ours = value_of(record.properties, "imageswarm_image_id");
  if (!ours.empty() && !is_snapshot(record)) {
    return fail(Fault::exists,
                "image {} was put there by imageswarmd: it is image ID {} of {}; take it from its catalogue", record.id,
                printable(ours), printable(value_of(record.properties, "imageswarm_endorser"), 500));
  }
  for (auto const* other : {"kernel_id", "ramdisk_id"}) {
    if (value_of(record.properties, other).empty()) continue;
    return fail(Fault::image_format_unsupported, "image {} does not boot by itself: it has a {}", record.id, other);
  }
  RecordEntry entry;
  entry.keys["container-format"] = {record.container_format};
  entry.keys["produced"] = {format_time(record.created)};
  if (record.min_disk_gib != 0) entry.keys["min-disk"] = {std::to_string(record.min_disk_gib)};
  if (record.min_ram_mib != 0) entry.keys["min-ram"] = {std::to_string(record.min_ram_mib)};
  if (!record.tags.empty()) entry.keys["glance-tags"] = record.tags;
  for (auto const& [name, value] : record.properties) {
    if (openstack::is_of_its_place(name) || name.starts_with("imageswarm_")) {
      entry.left_out.push_back(printable(name));
    } else if (auto const key = keys_of_properties.find(name); key == keys_of_properties.end()) {
      entry.keys["glance-properties"].push_back(name + "=" + value);
    } else if (!value.empty()) {
      entry.keys[key->second] = {name == "hypervisor_type" && value == "qemu" ? "kvm" : value};
    }
  }
  return entry;
}

}  // namespace imageswarm::exchange
