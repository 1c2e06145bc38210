#include "daemon/sinks/glance_record.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <set>

#include "common/base/text.hpp"

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
  want.provenance.catalogue = "lxcloud";
  want.provenance.serial = 41;
  return want;
}

flow::SinkSettings const plain;

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
  record.visibility = "private";
  return record;
}

openstack::GlanceImage made_of(flow::Want const& want, flow::SinkSettings const& settings = plain) {
  return made_of(new_record(want, settings, want.image.image_id, "hv001"));
}

std::set<std::string> names_of(openstack::Changes const& changes) {
  std::set<std::string> names;
  for (auto const& change : changes) names.insert(change.first);
  return names;
}

TEST_CASE("a record says what it is, of whom, and who uploads it") {
  auto const want = example();
  auto const made = new_record(want, plain, want.image.image_id, "hv001");
  CHECK(made.properties ==
        std::map<std::string, std::string>{{"architecture", "i686"},
                                           {"hypervisor_type", "qemu"},
                                           {"hw_disk_bus", "virtio"},
                                           {"imageswarm_image_id", want.image.image_id.text()},
                                           {"imageswarm_family", want.image.uuid.text()},
                                           {"imageswarm_version", "42"},
                                           {"imageswarm_endorser", "CN=Ada"},
                                           {"imageswarm_described_by", "lxcloud 41"},
                                           {"imageswarm_properties", "architecture,hw_disk_bus,hypervisor_type"},
                                           {"imageswarm_tags", "a,b"},
                                           {"imageswarm_uploader", "hv001"}});
}

TEST_CASE("a record of what was made here says of what") {
  auto want = example();
  want.derived_from = Uuid::random();
  CHECK(new_record(want, plain, want.image.image_id, "hv001").properties.at("imageswarm_derived_from") ==
        want.derived_from->text());
}

TEST_CASE("the disk that a guest needs is the larger of what was wished and what the image has") {
  auto want = example();
  auto const needed = [&](ByteCount virtual_size) {
    auto const record = made_of(want);
    for (auto const& [name, value] : changes_to_show(record, want, plain, virtual_size)) {
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
  auto const record = made_of(want);
  CHECK(names_of(changes_to_show(record, want, plain, {})) == std::set<std::string>{"os_hidden"});
  CHECK(changes_to_describe(record, want, plain, {}).empty());
}

TEST_CASE("what the catalogue says anew is brought up to date, and the mark of a retirement goes") {
  auto want = example();
  auto record = made_of(want);
  record.tags = {"b", "a"};
  record.properties[property::retired] = "superseded";
  record.properties["by-the-site"] = "stays";
  want.image.name = "worker";
  want.image.min_ram_mib = 512;
  want.image.glance_properties["hw_disk_bus"] = "scsi";
  auto site = plain;
  site.visibility = "public";
  CHECK(names_of(changes_to_show(record, want, site, {})) ==
        std::set<std::string>{"os_hidden", "visibility", "name", "min_ram", "hw_disk_bus", "imageswarm_retired",
                              "imageswarm_described_by"});
}

/// The new value of a tag list or property; nothing if it does not change, "gone" if it goes.
std::optional<std::string> new_value(openstack::Changes const& changes, std::string const& name) {
  for (auto const& [changed, value] : changes) {
    if (changed != name) continue;
    if (std::holds_alternative<openstack::Gone>(value)) return "gone";
    if (auto const* tags = std::get_if<std::vector<std::string>>(&value)) return join(*tags, ",");
    if (auto const* text = std::get_if<std::string>(&value)) return *text;
    return "set";
  }
  return std::nullopt;
}

TEST_CASE("what the site sets wins over the wishes of the entry") {
  auto site = plain;
  site.properties = {{"hw_disk_bus", "scsi"}, {"architecture", ""}, {"os_type", "linux"}};
  site.tags = {"site"};
  auto const made = new_record(example(), site, Uuid::random(), "hv001");
  CHECK(made.properties.at("hw_disk_bus") == "scsi");
  CHECK(made.properties.at("os_type") == "linux");
  CHECK_FALSE(made.properties.contains("architecture"));
  CHECK(made.tags == std::vector<std::string>{"a", "b", "site"});
}

TEST_CASE("what we set earlier and nobody wants any more goes; what others set stays") {
  auto want = example();
  auto site = plain;
  site.properties = {{"os_type", "linux"}};
  site.tags = {"site"};
  auto record = made_of(want, site);
  record.properties["by-hand"] = "stays";
  record.tags.emplace_back("by-hand");
  CHECK(changes_to_describe(record, want, site, {}).empty());
  want.image.glance_tags = {"b"};
  want.image.glance_properties.erase("hw_disk_bus");
  auto const changes = changes_to_describe(record, want, plain, {});
  CHECK(new_value(changes, "tags") == "b,by-hand");
  CHECK(new_value(changes, "hw_disk_bus") == "gone");
  CHECK(new_value(changes, "os_type") == "gone");
  CHECK_FALSE(new_value(changes, "architecture"));
  CHECK_FALSE(new_value(changes, "by-hand"));
  CHECK(new_value(changes, "imageswarm_properties") == "architecture,hypervisor_type");
}

TEST_CASE("an older catalogue describes nothing anew, and another endorser's entry neither") {
  auto const newer = example();
  auto record = made_of(newer);
  record.seen = record.updated = TimePoint{} + std::chrono::days{20'000};
  auto older = newer;
  older.provenance.serial = 40;
  older.image.name = "older";
  CHECK(changes_to_describe(record, older, plain, {}).empty());
  older.provenance.serial = 41;
  CHECK_FALSE(changes_to_describe(record, older, plain, {}).empty());
  SECTION("for a day: serials may begin afresh") {
    older.provenance.serial = 40;
    record.seen += std::chrono::hours{25};
    CHECK_FALSE(changes_to_describe(record, older, plain, {}).empty());
  }
  SECTION("a newer version of the catalogue alone changes nothing") {
    auto republished = newer;
    republished.provenance.serial = 42;
    CHECK(changes_to_describe(record, republished, plain, {}).empty());
  }
  SECTION("another endorser") {
    older.provenance.endorser = "CN=Bob";
    CHECK(changes_to_describe(record, older, plain, {}).empty());
  }
}

TEST_CASE("what the site protects is protected while it is in use, and may be deleted when it is retired") {
  auto site = plain;
  site.protect = true;
  auto record = made_of(example());
  CHECK(new_value(changes_to_show(record, example(), site, {}), "protected") == "set");
  record.is_protected = true;
  record.hidden = false;
  CHECK(names_of(changes_to_retire(record, flow::Retirement::superseded, site)) ==
        std::set<std::string>{"os_hidden", "imageswarm_retired", "protected"});
  CHECK(names_of(changes_to_retire(record, flow::Retirement::superseded, plain)) ==
        std::set<std::string>{"os_hidden", "imageswarm_retired"});
}

TEST_CASE("whoever protects a retired image keeps it") {
  auto site = plain;
  site.protect = true;
  auto record = made_of(example());
  record.is_protected = true;
  record.properties[property::retired] = "superseded";
  CHECK(changes_to_retire(record, flow::Retirement::superseded, site).empty());
}

TEST_CASE("that an image is superseded takes the place of no graver reason") {
  auto record = made_of(example());
  record.properties[property::retired] = "recalled";
  CHECK(changes_to_retire(record, flow::Retirement::superseded, plain).empty());
  record.properties[property::retired] = "superseded";
  CHECK(new_value(changes_to_retire(record, flow::Retirement::recalled, plain), property::retired) == "recalled");
}

}  // namespace
}  // namespace imageswarm::sinks
