#include "daemon/sinks/glance_record.hpp"

#include <catch2/catch.hpp>
#include <set>

namespace imageswarm::sinks {
namespace {

flow::Want example() {
  flow::Want want;
  want.image.uuid = Uuid::random();
  want.image.image_id = Uuid::random();
  want.image.name = "worker 42";
  want.image.version = document::Version::parse("42").value();
  want.image.hypervisor = "kvm";
  want.image.architecture = "x86_64";
  want.image.disk_format = "qcow2";
  want.image.glance_tags = {"a", "b"};
  want.image.glance_properties = {{"hw_disk_bus", "virtio"}, {"architecture", "i686"}};
  want.provenance.endorser = "CN=Ada";
  return want;
}

/// What Glance shows of a record that was made like this.
openstack::GlanceImage made_of(openstack::NewImage const& made) {
  openstack::GlanceImage record;
  record.id = made.id;
  record.name = made.name;
  record.min_disk_gib = made.min_disk_gib;
  record.min_ram_mib = made.min_ram_mib;
  record.tags = made.tags;
  record.properties = made.properties;
  record.hidden = true;
  return record;
}

std::set<std::string> names_of(openstack::Changes const& changes) {
  std::set<std::string> names;
  for (auto const& change : changes) names.insert(change.first);
  return names;
}

TEST_CASE("a record says what it is, of whom, and who uploads it") {
  auto const want = example();
  auto const made = new_record(want, want.image.image_id, "hv001");
  CHECK(made.properties == std::map<std::string, std::string>{{"architecture", "i686"},
                                                              {"hypervisor_type", "qemu"},
                                                              {"hw_disk_bus", "virtio"},
                                                              {"imageswarm_image_id", want.image.image_id.text()},
                                                              {"imageswarm_family", want.image.uuid.text()},
                                                              {"imageswarm_version", "42"},
                                                              {"imageswarm_endorser", "CN=Ada"},
                                                              {"imageswarm_uploader", "hv001"}});
}

TEST_CASE("the disk that a guest needs is the larger of what was wished and what the image has") {
  auto want = example();
  auto const needed = [&](ByteCount virtual_size) {
    auto const record = made_of(new_record(want, want.image.image_id, "hv001"));
    for (auto const& [name, value] : changes_to_show(record, want, virtual_size, "private")) {
      if (name == "min_disk") return std::get<std::uint32_t>(value);
    }
    return record.min_disk_gib;
  };
  CHECK(needed(10_GiB) == 10);
  CHECK(needed({ByteCount{10_GiB}.value + 1}) == 11);
  want.image.min_disk_gib = 20;
  CHECK(needed(10_GiB) == 20);
  want.image.volume_size = 30_GiB;
  CHECK(needed(10_GiB) == 30);
}

TEST_CASE("what is as it should be is not touched when an image is shown") {
  auto const want = example();
  auto const record = made_of(new_record(want, want.image.image_id, "hv001"));
  CHECK(names_of(changes_to_show(record, want, {}, "private")) == std::set<std::string>{"os_hidden", "visibility"});
}

TEST_CASE("what the catalogue says anew is brought up to date, and the mark of a retirement goes") {
  auto want = example();
  auto record = made_of(new_record(want, want.image.image_id, "hv001"));
  record.tags = {"b", "a"};
  record.properties[property::retired] = "superseded";
  record.properties["by-the-site"] = "stays";
  want.image.name = "worker";
  want.image.min_ram_mib = 512;
  want.image.glance_properties["hw_disk_bus"] = "scsi";
  CHECK(names_of(changes_to_show(record, want, {}, "public")) ==
        std::set<std::string>{"os_hidden", "visibility", "name", "min_ram", "hw_disk_bus", "imageswarm_retired"});
}

}  // namespace
}  // namespace imageswarm::sinks
